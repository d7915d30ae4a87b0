/** Which HTTP status codes make a check pass. */

/** A code, a range as text (`'200-299'`), or a range as an object; both ends belong to it. */
export type StatusRange = number | string | { readonly from: number; readonly to: number };

export const MIN_STATUS = 200;
export const MAX_STATUS = 599;

const RANGE_TEXT = /^(\d{3})(?:-(\d{3}))?$/;

/** The bounds of a range; undefined when it is none, or not within 200..599 (1xx is never a final answer). */
export function statusBounds(range: StatusRange): readonly [from: number, to: number] | undefined {
  let from: number;
  let to: number;
  if (typeof range === 'number') {
    from = to = range;
  } else if (typeof range === 'string') {
    const match = RANGE_TEXT.exec(range);
    from = Number(match?.[1]);
    to = Number(match?.[2] ?? match?.[1]);
  } else {
    ({ from, to } = range);
  }
  const valid = Number.isInteger(from) && Number.isInteger(to);
  return valid && from >= MIN_STATUS && to <= MAX_STATUS && from <= to ? [from, to] : undefined;
}

/** Ready to be asked for single codes. Ranges that are none are left out: the schema has refused them before. */
export function createStatusSet(ranges: readonly StatusRange[]): (statusCode: number) => boolean {
  const bounds = ranges.map(statusBounds).filter((range) => range !== undefined);
  return (statusCode) => bounds.some(([from, to]) => from <= statusCode && statusCode <= to);
}
