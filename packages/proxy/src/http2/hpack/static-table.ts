/** The static table as bytes, and where each of its fields is. */
import { STRIDE } from './field-list.ts';
import { nameTraits, withValueTraits } from './field-traits.ts';
import { STATIC_FIELDS } from './static-fields.table.ts';

export const STATIC_COUNT: number = STATIC_FIELDS.length;

/** All names and values; the decoder's buffer begins with them. */
export const STATIC_BYTES: Buffer = Buffer.from(STATIC_FIELDS.flat().join(''), 'latin1');

/** By index minus 1: places in {@link STATIC_BYTES}, and traits. */
export const STATIC_PLACES: Int32Array = placesOf();

function placesOf(): Int32Array {
  const places: number[] = [];
  let at = 0;
  for (const [name, value] of STATIC_FIELDS) {
    const nameTo = at + name.length;
    const valueTo = nameTo + value.length;
    const ofName = nameTraits(STATIC_BYTES, at, nameTo);
    // Without a value only the name is of use; the value that comes is judged then.
    const traits = value === '' ? ofName : withValueTraits(ofName, STATIC_BYTES, nameTo, valueTo);
    places.push(at, nameTo, nameTo, valueTo, traits);
    at = valueTo;
  }
  if (places.length !== STATIC_COUNT * STRIDE) throw new RangeError('stride of a field');
  return Int32Array.from(places);
}
