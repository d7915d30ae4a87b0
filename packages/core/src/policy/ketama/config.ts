import type { z } from 'zod';
import { object } from '../../schema/fields.ts';
import { type HashKeyOptions, hashKeySourceSchema } from '../hash-key.ts';

/** Options of `ketama`: only where the key comes from. The size of the ring is fixed by compatibility. */
export type KetamaConfig = HashKeyOptions;

export const ketamaSchema: z.ZodType<KetamaConfig> = object({
  hashKey: hashKeySourceSchema.optional(),
});
