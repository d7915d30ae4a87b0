import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { routeRequest } from '../../engine/test-support/route-request.ts';
import type { AccessResult } from '../access-log.ts';
import { type FormatProblem, LineFormat } from './line-format.ts';

const RUN = { seed: 20_300_213, numRuns: 1_000 } as const;
const result = { status: 200, requestId: undefined } as AccessResult;

/** What a header may hold at most: every byte, also those that the parser refuses. */
const value = fc
  .array(fc.nat(255), { maxLength: 30 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'));

const lineOf = (format: LineFormat | FormatProblem, text: string): string => {
  const request = { ...routeRequest('GET /'), header: () => text };
  const own = format as LineFormat;
  return own.line({ client: '', taken: own.take(request) }, result, '');
};

describe('a line of the log', () => {
  it('as JSON says what was sent, in one line, whatever that is', () => {
    const format = LineFormat.json(['header:x', 'status']);
    fc.assert(
      fc.property(value, (text) => {
        const line = lineOf(format, text);
        expect(line).toMatch(/^[\x20-\x7e\xa0-\xff]*$/);
        expect(JSON.parse(line)).toEqual({ 'header:x': text, status: 200 });
      }),
      RUN,
    );
  });

  it('as text keeps every value in its quotes', () => {
    const format = LineFormat.text('"%{header:x}" "%{header:x}"');
    fc.assert(
      fc.property(value, (text) => {
        expect(lineOf(format, text)).toMatch(/^"[\x20-\x21\x23-\x7e\xa0-\xff]*" "[^"]*"$/);
      }),
      RUN,
    );
  });
});
