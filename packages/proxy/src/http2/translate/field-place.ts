import type { FieldIndex } from '../../http1/field-index.ts';
import type { FieldPlace } from '../http2-stream.ts';

const place = { nameFrom: 0, nameTo: 0, valueFrom: 0, valueTo: 0 };

/** Where a field line is; good until the next call. */
export function placeOf(fields: FieldIndex, line: number): FieldPlace {
  place.nameFrom = fields.nameFrom(line);
  place.nameTo = fields.nameTo(line);
  place.valueFrom = fields.valueFrom(line);
  place.valueTo = fields.valueTo(line);
  return place;
}
