import { HashRing } from '../../algorithm/hash-ring.ts';
import { MurmurHash2 } from '../../algorithm/murmur2-64a.ts';
import { XxHash64 } from '../../algorithm/xxhash64.ts';
import { KeyedBalancer } from '../keyed-balancer.ts';
import { PickHash } from '../pick-hash.ts';
import type { Policy } from '../policy.ts';
import { type RingHashConfig, ringHashSchema } from './config.ts';
import { RingHashPicker } from './picker.ts';
import { sizingOf } from './sizing.ts';

/**
 * Consistent hashing on a ring (Karger et al. 1997) with Envoy's and gRPC's points. For affinity shared with those two;
 * shares are rougher than Maglev's. Mode `native` moves no key of a surviving endpoint.
 */
export const ringHash: Policy<RingHashConfig> = {
  name: 'ring-hash',
  keyed: true,
  schema: ringHashSchema,
  create: (config, { random }) => {
    const hash = new PickHash(random);
    const hasher = config.hashFunction === 'murmur2' ? new MurmurHash2() : new XxHash64();
    return new KeyedBalancer({
      build: ({ keys, weights }, earlier: HashRing | undefined) =>
        new HashRing({ keys, weights, sizing: sizingOf(config, weights), hasher, earlier }),
      createPicker: (ring, members) => new RingHashPicker(ring, members, hash),
    });
  },
};
