import { Rendezvous } from '../../algorithm/rendezvous.ts';
import { KeyedBalancer } from '../keyed-balancer.ts';
import { PickHash } from '../pick-hash.ts';
import type { Policy } from '../policy.ts';
import { type RendezvousConfig, rendezvousSchema } from './config.ts';
import { RendezvousPicker } from './picker.ts';

/**
 * Rendezvous hashing, or highest random weight (Thaler and Ravishankar 1998): exact shares for any weights, never a key
 * moved that need not, no table. Every pick looks at every endpoint, so it suits up to some 50 of them.
 */
export const rendezvous: Policy<RendezvousConfig> = {
  name: 'rendezvous',
  keyed: true,
  schema: rendezvousSchema,
  create: (_config, { random }) => {
    const hash = new PickHash(random);
    return new KeyedBalancer({
      build: ({ keys, weights }) => new Rendezvous({ keys, weights }),
      createPicker: (scores, members) => new RendezvousPicker(scores, members, hash),
    });
  },
};
