import { describe, expect, it } from 'vitest';
import { consulSource } from '../discovery/consul/consul.ts';
import { decodeClusterOptions } from './cluster-config.ts';
import { decodeClusterFile } from './cluster-file.ts';
import { clusterJsonSchema } from './json-schema.ts';

const FILE = {
  discovery: {
    consul: {
      service: 'users',
      wait: '1m',
      guard: { maxRemovalPercent: 20, confirmAfter: '5s' },
      lastKnownGood: { path: '/var/lib/app/users.lkg', maxAge: '12h' },
    },
  },
};

describe('a source of another entry in a file', () => {
  it('takes durations with units, as everything in files does', () => {
    const options = decodeClusterFile(FILE, { name: 'users', sources: [consulSource] });
    expect(options.discovery).toEqual({
      consul: {
        service: 'users',
        waitMs: 60_000,
        guard: { maxRemovalPercent: 20, confirmAfterMs: 5_000 },
        lastKnownGood: { path: '/var/lib/app/users.lkg', maxAgeMs: 43_200_000 },
      },
    });
    expect(decodeClusterOptions(options, '', [consulSource]).discovery.kind).toBe('consul');
  });

  it('is refused with a hint where it was not passed', () => {
    expect(() => decodeClusterFile(FILE, { name: 'users', path: 'clusters.users' })).toThrow(
      /clusters\.users\.discovery\.consul: .*sources: \[consulSource\]/u,
    );
  });

  it('has its mistakes named in the words of the file', () => {
    const raw = { discovery: { consul: { service: 'users', waitMs: 60_000 } } };
    expect(() =>
      decodeClusterFile(raw, { name: 'users', path: 'c', sources: [consulSource] }),
    ).toThrow(/c\.discovery\.consul\.waitMs: .*did you mean 'wait'/u);
  });

  it('is part of the JSON Schema where it was passed', () => {
    const text = (sources: readonly (typeof consulSource)[]): string =>
      JSON.stringify(clusterJsonSchema({ form: 'file', sources }));
    expect(text([consulSource])).toContain('"consul"');
    expect(text([])).not.toContain('"consul"');
  });
});
