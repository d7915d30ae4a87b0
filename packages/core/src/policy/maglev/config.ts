import type { z } from 'zod';
import { DEFAULT_MAGLEV_SIZE, MAX_MAGLEV_SIZE } from '../../algorithm/maglev-table.ts';
import { isPrime, nextPrime } from '../../algorithm/prime.ts';
import { integer, object } from '../../schema/fields.ts';
import { type HashKeyOptions, hashKeySourceSchema } from '../hash-key.ts';

/** Options of `maglev`. */
export interface MaglevOptions extends HashKeyOptions {
  /**
   * Entries of the table: a prime, 2..5000011. Default 65537. Shares are as fine as one entry, so take 100 times the
   * number of endpoints for balance within 1 %, and 650 times to keep the keys that move besides the unavoidable ones
   * below 1 %. Costs 2 bytes an entry and build time in proportion.
   */
  readonly tableSize?: number | undefined;
}

/** {@link MaglevOptions} with the defaults filled in. */
export interface MaglevConfig extends HashKeyOptions {
  readonly tableSize: number;
}

export const maglevSchema: z.ZodType<MaglevConfig> = object({
  tableSize: integer({ min: 2, max: MAX_MAGLEV_SIZE })
    .refine(isPrime, {
      // A composite size would leave entries that some endpoint's permutation never reaches.
      error: (issue) => `a prime number such as ${neighbour(issue.input)}`,
    })
    .default(DEFAULT_MAGLEV_SIZE)
    .describe('Entries of the table, a prime: at least 100 times the number of endpoints.'),
  hashKey: hashKeySourceSchema.optional(),
});

/** The next prime, as a suggestion. */
function neighbour(size: unknown): number {
  return typeof size === 'number' && size >= 2 && size < MAX_MAGLEV_SIZE
    ? nextPrime(Math.ceil(size))
    : DEFAULT_MAGLEV_SIZE;
}
