import type { z } from 'zod';
import { object } from '../../schema/fields.ts';
import { type HashKeyOptions, hashKeySourceSchema } from '../hash-key.ts';

/** Options of `rendezvous`: only where the key comes from. There is no table to size. */
export type RendezvousConfig = HashKeyOptions;

export const rendezvousSchema: z.ZodType<RendezvousConfig> = object({
  hashKey: hashKeySourceSchema.optional(),
});
