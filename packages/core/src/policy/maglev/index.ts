import { MaglevTable } from '../../algorithm/maglev-table.ts';
import { KeyedBalancer } from '../keyed-balancer.ts';
import type { KeyedMembers } from '../keyed-members.ts';
import { PickHash } from '../pick-hash.ts';
import type { Policy } from '../policy.ts';
import { type MaglevConfig, maglevSchema } from './config.ts';
import { MaglevPicker } from './picker.ts';

/**
 * Maglev hashing (Eisenbud et al., NSDI 2016): constant time a pick, shares as exact as the table is fine, and few keys
 * moved when endpoints come and go, though a few more than the minimum. The default choice for affinity, with any
 * weights. Tables equal Envoy's for the same endpoints, hash keys and weights.
 */
export const maglev: Policy<MaglevConfig> = {
  name: 'maglev',
  keyed: true,
  schema: maglevSchema,
  create: ({ tableSize }, { random }) => {
    const hash = new PickHash(random);
    return new KeyedBalancer({
      build: (members) => buildTable(members, tableSize),
      createPicker: (table, members) => new MaglevPicker(table, members, hash),
    });
  },
};

/** More endpoints than entries: those last in the order of the keys own none, and serve only when others are excluded. */
function buildTable({ keys, weights }: KeyedMembers, size: number): MaglevTable {
  return keys.length <= size
    ? new MaglevTable({ keys, weights, size })
    : new MaglevTable({ keys: keys.slice(0, size), weights: weights.subarray(0, size), size });
}
