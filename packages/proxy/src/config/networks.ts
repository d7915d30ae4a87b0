/** Lists of addresses and networks, `10.0.0.0/8`, as options hold them. */
import { z } from 'zod';
import { CidrSet } from '../address/cidr-set.ts';
import { networkSchema } from '../address/network-schema.ts';

const list = z.array(networkSchema).max(10_000);

/** Undefined for an empty list. */
export const networksSchema: z.ZodType<CidrSet | undefined> = list.transform((networks) =>
  networks.length === 0 ? undefined : setOf(networks),
);

/** Where an empty list would be taken for everybody by some, and for nobody by others. */
export const someNetworksSchema: z.ZodType<CidrSet> = list
  .min(1, { error: 'at least one network' })
  .transform(setOf);

function setOf(networks: readonly string[]): CidrSet {
  return new CidrSet(networks.map((network) => ({ network, value: 1 })));
}
