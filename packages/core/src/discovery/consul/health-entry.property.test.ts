import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEvenkeelError } from '../../error/evenkeel-error.ts';
import { decodeEntries } from './health-entry.ts';

const KEYS = [
  ...['Node', 'Service', 'Checks', 'Address', 'Port', 'Tags', 'Meta', 'Weights', 'Passing'],
  ...['TaggedAddresses', 'wan', 'Locality', 'Region', 'Datacenter', 'Status', 'CheckID'],
];

/** JSON that looks like Consul's answers as much as chance makes it. */
const { value } = fc.letrec<{ value: unknown; object: object }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    fc.constantFrom<unknown>(null, true, 'passing', '10.0.0.1', '', 80, 0, -1, 1.5, 1e300),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 8 }),
}));

describe('decodeEntries', () => {
  it('makes endpoints of anything, or refuses it with an error of ours', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), (raw) => {
        try {
          const { endpoints } = decodeEntries(raw, { accept: 'any', taggedAddress: 'wan' });
          expect(endpoints.length).toBeLessThanOrEqual(raw.length);
        } catch (error) {
          expect(isEvenkeelError(error)).toBe(true);
        }
      }),
      { seed: 11, numRuns: 3_000 },
    );
  });
});
