import type { Locality } from '../model/locality.ts';

/**
 * The zone of a locality as topology compares it: `region/zone`, '' when neither is known. A subzone belongs to its
 * zone. Both sides must be written alike: `{ zone: 'a' }` is another zone than `{ region: 'eu', zone: 'a' }`.
 */
export function zoneOf({ region, zone }: Locality): string {
  if (region === '' && zone === '') return '';
  return `${region}/${zone}`;
}
