/** Addresses and networks as options hold them. */
import { z } from 'zod';
import { isNetwork } from './cidr-set.ts';

const error = 'an address or a network, 10.0.0.0/8';

/** An address, or a network in CIDR notation. */
export const networkSchema: z.ZodType<string, string> = z
  .string({ error })
  .refine(isNetwork, { error });
