import { createRandom } from '@evenkeel/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  newTraceContext,
  readTraceContext,
  stampTraceLine,
  type TraceContext,
  traceLinesOf,
} from './trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('traceparent', () => {
  it('is read, with the state of vendors', () => {
    expect(readTraceContext(`00-${TRACE}-${SPAN}-01`, 'a=1,b=2')).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      flags: 1,
      state: 'a=1,b=2',
    });
  });

  it('may be of a later version that says more, of which only what is known goes on', () => {
    const context = readTraceContext(`cc-${TRACE}-${SPAN}-ff-more`, undefined) as TraceContext;
    expect(traceLinesOf(context)).toBe(`traceparent: 00-${TRACE}-${SPAN}-03\r\n`);
  });

  it.each([
    ['nothing', undefined],
    ['another form', 'abc'],
    ['version ff', `ff-${TRACE}-${SPAN}-01`],
    ['version 00 that says more', `00-${TRACE}-${SPAN}-01-x`],
    ['more without a dash', `01-${TRACE}-${SPAN}-01x`],
    ['capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['no trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['no span', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['two lines', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ['a short id', `00-${TRACE.slice(1)}-${SPAN}-01`],
  ])('that is %s is none', (_, parent) => {
    expect(readTraceContext(parent, 'a=1')).toBeUndefined();
  });

  it('goes on without a state that could not be a line', () => {
    const parent = `00-${TRACE}-${SPAN}-00`;
    for (const state of ['', 'a=\u00e9', 'a=1\r\nx: y', 'a'.repeat(9_000)])
      expect(readTraceContext(parent, state)?.state).toBeUndefined();
  });

  it('is written as it can be read again, whatever it says', () => {
    const hex = (digits: number): fc.Arbitrary<string> =>
      fc
        .array(fc.constantFrom(...'0123456789abcdef'), { minLength: digits, maxLength: digits })
        .map((parts) => parts.join(''))
        .filter((id) => !/^0+$/.test(id));
    fc.assert(
      fc.property(
        hex(32),
        hex(16),
        hex(16),
        fc.integer({ min: 0, max: 3 }),
        (a, b, other, flags) => {
          const context = { traceId: a, spanId: b, flags, state: undefined };
          const lines = Buffer.from(`x: y\r\n${traceLinesOf(context)}`);
          const read = (): TraceContext | undefined =>
            readTraceContext(/traceparent: (.*)\r\n$/.exec(lines.toString())?.[1], undefined);
          expect(read()).toEqual(context);
          stampTraceLine(lines, 6, { spanId: other, flags: 3 - flags });
          expect(read()).toEqual({ ...context, spanId: other, flags: 3 - flags });
        },
      ),
      { seed: 7 },
    );
  });
});

it('a new trace has ids of its own, and is sampled or not', () => {
  const random = createRandom(3);
  const one = newTraceContext(random, true);
  const other = newTraceContext(random, false);
  expect(one.traceId).not.toBe(other.traceId);
  expect([one.flags, other.flags]).toEqual([3, 2]);
  // Zero is not an id: it is drawn again.
  const draws = [0, 0, 0, 0, 1, 2, 3, 4, 0, 0, -1, 5];
  const { traceId, spanId } = newTraceContext({ nextInt32: () => draws.shift() ?? 0 }, true);
  expect([traceId, spanId]).toEqual(['00000001000000020000000300000004', 'ffffffff00000005']);
});
