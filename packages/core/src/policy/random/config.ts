import type { z } from 'zod';
import { object } from '../../schema/fields.ts';

/** Random takes no options. */
export type RandomConfig = Readonly<Record<never, never>>;

export const randomSchema: z.ZodType<RandomConfig> = object({});
