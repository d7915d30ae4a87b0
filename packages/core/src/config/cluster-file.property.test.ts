import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../error/config-error.ts';
import { decodeClusterOptions } from './cluster-config.ts';
import { decodeClusterFile } from './cluster-file.ts';
import { formatDuration } from './duration.ts';

const base = { name: 'users', discovery: ['10.0.0.1:80'] };

describe('decodeClusterFile', () => {
  it('means the same as code, for every duration', () => {
    const length = fc.integer({ min: 1000, max: 60_000 });
    fc.assert(
      fc.property(length, length, length, (decayMs, intervalMs, timeoutMs) => {
        const code = {
          ...base,
          policy: { name: 'peak-ewma', decayMs },
          health: { tcp: { intervalMs } },
          drain: { timeoutMs },
        };
        const file = {
          ...base,
          policy: { name: 'peak-ewma', decay: formatDuration(decayMs) },
          health: { tcp: { interval: formatDuration(intervalMs) } },
          drain: { timeout: formatDuration(timeoutMs) },
        };
        const read = decodeClusterFile(file);
        expect(read).toEqual(code);
        const { discovery: _a, ...fromFile } = decodeClusterOptions(read);
        const { discovery: _b, ...fromCode } = decodeClusterOptions(code);
        expect(fromFile).toEqual(fromCode);
      }),
      { seed: 20_303 },
    );
  });

  it('lets nothing but its own errors out, whatever a file holds', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 5 }),
        fc.constantFrom('', 'health', 'discovery', 'policy'),
        (value, key) => {
          try {
            decodeClusterFile(key === '' ? value : { ...base, [key]: value });
          } catch (error) {
            expect(error).toBeInstanceOf(ConfigError);
          }
        },
      ),
      { seed: 20_304, numRuns: 500 },
    );
  });
});
