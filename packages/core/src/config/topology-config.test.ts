import { describe, expect, it } from 'vitest';
import { ConfigError } from '../error/config-error.ts';
import { decodeClusterOptions } from './cluster-config.ts';
import { decodeClusterFile } from './cluster-file.ts';

const base = { name: 'users', discovery: ['10.0.0.1:80'] };

describe('the option topology', () => {
  it('leaves everything off when it is left out', () => {
    const { topology } = decodeClusterOptions(base);
    expect(Object.values(topology).filter((part) => typeof part === 'object')).toHaveLength(1);
  });

  it('is written in a file as in code, but for durations and what only code can make', () => {
    const file = {
      ...base,
      topology: {
        locality: { region: 'eu', zone: 'a' },
        peers: { counts: [{ region: 'eu', zone: 'a', count: 3 }] },
        zoneAware: { minEndpoints: 10 },
        subsets: { selectors: [{ keys: ['version'] }], fallback: 'any' },
        split: {
          sides: { canary: { subset: { version: 'v2' }, weight: 5 }, rest: { weight: 95 } },
          hashKey: { header: 'x-user' },
        },
        aperture: { kind: 'rendezvous', seed: 'me' },
        slowStart: { window: '30s' },
      },
    };
    const { topology } = decodeClusterOptions(decodeClusterFile(file));
    expect(topology).toMatchObject({
      locality: { region: 'eu', zone: 'a' },
      zoneAware: { minEndpoints: 10 },
      split: { hashKey: { header: 'x-user' } },
      aperture: { kind: 'rendezvous', size: 12, seed: 'me' },
      slowStart: { windowMs: 30_000 },
    });
  });

  it.each([
    [{ peers: { cluster: {} } }, 'topology.peers.cluster: expected no such option'],
    [{ slowStart: { window: 30 } }, 'topology.slowStart.window: expected a duration such as 5s'],
    [{ zoneAware: {} }, 'topology.locality: expected a zone, because of zoneAware'],
  ])('refuses %j in a file', (topology, message) => {
    expect(() => decodeClusterFile({ ...base, topology })).toThrow(ConfigError);
    expect(() => decodeClusterFile({ ...base, topology })).toThrow(message);
  });
});
