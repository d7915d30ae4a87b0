import type { z } from 'zod';
import { object } from '../../schema/fields.ts';

/** Round robin takes no options. */
export type RoundRobinConfig = Readonly<Record<never, never>>;

export const roundRobinSchema: z.ZodType<RoundRobinConfig> = object({});
