import { Ketama } from '../../algorithm/ketama.ts';
import { KeyedBalancer } from '../keyed-balancer.ts';
import type { KeyedMembers } from '../keyed-members.ts';
import type { Policy } from '../policy.ts';
import { type KetamaConfig, ketamaSchema } from './config.ts';
import { KetamaPicker } from './picker.ts';
import { serverNameOf } from './server-name.ts';

/**
 * The ring of libmemcached's weighted ketama, so that keys land where other memcached clients look for them. Elsewhere
 * prefer `maglev` or `ring-hash`: an MD5 per pick costs several times their hash.
 */
export const ketama: Policy<KetamaConfig> = {
  name: 'ketama',
  keyed: true,
  schema: ketamaSchema,
  create: (_config, { random }) =>
    new KeyedBalancer({
      keyOf: serverNameOf,
      build: buildRing,
      createPicker: (ring, members) => new KetamaPicker(ring, members, random),
    }),
};

/** The keys are whole names already, hence no ports. */
function buildRing({ keys, weights }: KeyedMembers, earlier: Ketama | undefined): Ketama {
  const servers = keys.map((address, index) => ({ address, weight: weights[index] as number }));
  return new Ketama(servers, earlier);
}
