import { describe, expect, it } from 'vitest';
import { createStatusSet, type StatusRange, statusBounds } from './status-set.ts';

describe('statusBounds', () => {
  it.each<{ range: StatusRange; bounds: readonly [number, number] | undefined }>([
    { range: 200, bounds: [200, 200] },
    { range: '204', bounds: [204, 204] },
    { range: '200-299', bounds: [200, 299] },
    { range: { from: 400, to: 401 }, bounds: [400, 401] },
    { range: '299-200', bounds: undefined },
    { range: { from: 300, to: 299 }, bounds: undefined },
    { range: 100, bounds: undefined },
    { range: 600, bounds: undefined },
    { range: 200.5, bounds: undefined },
    { range: '2xx', bounds: undefined },
    { range: '200-', bounds: undefined },
    { range: ' 200', bounds: undefined },
    { range: '', bounds: undefined },
  ])('$range: $bounds', ({ range, bounds }) => {
    expect(statusBounds(range)).toEqual(bounds);
  });
});

describe('createStatusSet', () => {
  it('holds every code of its ranges and no other', () => {
    const has = createStatusSet(['200-299', 304, { from: 401, to: 403 }]);
    const held = Array.from({ length: 500 }, (_, index) => index + 100).filter(has);
    const expected = Array.from({ length: 100 }, (_, index) => index + 200).concat(
      304,
      401,
      402,
      403,
    );
    expect(held).toEqual(expected);
  });
});
