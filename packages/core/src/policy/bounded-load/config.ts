import { z } from 'zod';
import { integer, object, text } from '../../schema/fields.ts';
import { type HashKeyOptions, hashKeySourceSchema } from '../hash-key.ts';
import type { PolicyOptions } from '../policy.ts';

/** The name of this policy, which it refuses to wrap. */
export const BOUNDED_LOAD = 'bounded-load';

/** Options of `bounded-load`. */
export interface BoundedLoadOptions extends HashKeyOptions {
  /** The hash policy whose endpoints are bounded: a name, or a name with its options. Default `maglev`. */
  readonly policy?: PolicyOptions | undefined;
  /**
   * Most requests in flight on an endpoint, as a percentage of its fair share of all that are in flight: an integer,
   * 100..1000. Default 125. Lower is more even, higher keeps more keys at home.
   */
  readonly factorPercent?: number | undefined;
}

/** {@link BoundedLoadOptions} with the defaults filled in. The wrapped policy's options are checked when it is built. */
export interface BoundedLoadConfig extends HashKeyOptions {
  readonly policy: PolicyOptions;
  readonly factorPercent: number;
}

const wrappedPolicySchema: z.ZodType<PolicyOptions> = z
  .union([text(64), z.looseObject({ name: text(64) })], {
    error: 'the name of a hash policy, alone or with its options',
  })
  .refine((policy) => (typeof policy === 'string' ? policy : policy.name) !== BOUNDED_LOAD, {
    error: 'a hash policy other than bounded-load itself',
  });

export const boundedLoadSchema: z.ZodType<BoundedLoadConfig> = object({
  policy: wrappedPolicySchema
    .default('maglev')
    .describe('The hash policy whose endpoints are bounded.'),
  factorPercent: integer({ min: 100, max: 1000 })
    .default(125)
    .describe('Most requests in flight on an endpoint, relative to its fair share.'),
  hashKey: hashKeySourceSchema.optional(),
}).refine(
  ({ policy, hashKey }) =>
    hashKey === undefined || typeof policy === 'string' || policy['hashKey'] === undefined,
  { path: ['hashKey'], error: 'one hash key source, here or in the wrapped policy' },
);
