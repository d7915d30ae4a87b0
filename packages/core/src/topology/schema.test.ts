import { describe, expect, it } from 'vitest';
import { ConfigError } from '../error/config-error.ts';
import { endpointSetOf } from '../model/endpoint-set.ts';
import { UNKNOWN_LOCALITY } from '../model/locality.ts';
import { hashKeySourceSchema } from '../policy/hash-key.ts';
import { decode } from '../schema/decode.ts';
import { topologySchema } from './schema.ts';

const schema = topologySchema(hashKeySourceSchema);
const of = (raw: unknown) => decode(schema, raw, 'topology');
const COUNTS = { counts: [{ zone: 'a', count: 3 }] };

function issueOf(raw: unknown): string {
  try {
    of(raw);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('accepted');
}

describe('topologySchema', () => {
  it('switches everything off by default', () => {
    expect(of({})).toEqual({ locality: UNKNOWN_LOCALITY, overprovisioningFactor: 1.4 });
  });

  it('fills in the defaults of what is switched on', () => {
    const config = of({
      locality: { zone: 'a' },
      peers: COUNTS,
      zoneAware: {},
      subsets: { selectors: [{ keys: ['version', 'stage', 'version'] }], fallback: 'any' },
      aperture: { index: 0, count: 1 },
      slowStart: {},
    });
    expect(config).toMatchObject({
      locality: { region: '', zone: 'a', subzone: '' },
      zoneAware: { minEndpoints: 6 },
      subsets: {
        selectors: [{ keys: ['stage', 'version'], fallback: 'any' }],
        fallback: 'any',
      },
      aperture: { kind: 'deterministic', size: 12 },
      slowStart: { windowMs: 60_000, aggression: 1, minWeightPercent: 10 },
    });
  });

  it('takes peers as a set or a cluster made in code', () => {
    const endpoints = endpointSetOf(['a:1']);
    expect(of({ peers: { endpoints, self: 'a:1' } }).peers?.endpoints).toBe(endpoints);
    const cluster = {
      snapshot: () => ({ panic: false, endpoints: [] }),
      subscribe: () => () => {},
    };
    expect(of({ peers: { cluster } }).peers?.cluster).toBe(cluster);
  });

  it.each([
    [{ zoneaware: {} }, "topology.zoneaware: expected no such option; did you mean 'zoneAware'?"],
    [
      { overprovisioningFactor: 0.9 },
      'topology.overprovisioningFactor: expected a number from 1 to 10',
    ],
    [{ zoneAware: {}, peers: COUNTS }, 'topology.locality: expected a zone, because of zoneAware'],
    [
      { zoneAware: {}, locality: { zone: 'a' } },
      'topology.peers: expected the peers of this client, because of zoneAware',
    ],
    [
      {
        zoneAware: {},
        locality: { zone: 'a' },
        peers: COUNTS,
        localityWeights: [{ zone: 'a', weight: 1 }],
      },
      'topology.localityWeights: expected nothing beside zoneAware',
    ],
    [{ peers: {} }, 'topology.peers: expected exactly one of counts, endpoints and cluster'],
    [{ peers: { ...COUNTS, cluster: {} } }, 'topology.peers.cluster: expected a cluster'],
    [{ peers: { endpoints: ['a:1'] } }, 'topology.peers.endpoints: expected a set of endpoints'],
    [{ localityWeights: [] }, 'topology.localityWeights: expected at least one zone'],
    [{ subsets: { selectors: [{ keys: [] }] } }, 'selectors[0].keys: expected at least one label'],
    [
      { subsets: { fallback: 'default' } },
      "topology.subsets.default: expected labels, because a fallback is 'default'",
    ],
    [{ subsets: { default: {} } }, 'topology.subsets.default: expected 1 to 16 labels'],
    [
      { subsets: { default: { version: 2 } } },
      'topology.subsets.default.version: expected a text, got 2',
    ],
    [{ split: { sides: {} } }, 'topology.split.sides: expected 1 to 32 sides'],
    [{ split: { sides: { a: { weight: 0 } } } }, 'expected a side with a weight above 0'],
    [
      { split: { sides: { a: { weight: -1 } } } },
      'topology.split.sides.a.weight: expected a number from 0',
    ],
    [{ split: { sides: { a: { weight: 1 } }, hashKey: { header: '' } } }, 'topology.split.hashKey'],
    [
      { aperture: {} },
      "topology.aperture: expected index and count, peers.self, or the kind 'rendezvous'",
    ],
    [
      { aperture: { kind: 'rendezvous', size: 11 } },
      'topology.aperture.size: expected an integer from 12',
    ],
    [
      { aperture: { index: 2, count: 2 } },
      'topology.aperture.index: expected an index below the count',
    ],
    [{ aperture: { index: 2 } }, 'topology.aperture.index: expected an index below the count'],
    [
      { slowStart: { windowMs: 999 } },
      'topology.slowStart.windowMs: expected a duration from 1000 ms',
    ],
    [{ slowStart: { minWeightPercent: 0 } }, 'minWeightPercent: expected a number from 1 to 100'],
  ])('refuses %j', (raw, message) => {
    expect(issueOf(raw)).toContain(message);
  });
});
