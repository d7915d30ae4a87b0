import { describe, expect, it } from 'vitest';
import { routeRequest } from '../../engine/test-support/route-request.ts';
import type { AccessResult } from '../access-log.ts';
import { FormatProblem, LineFormat } from './line-format.ts';
import { DEFAULT_JSON_FIELDS } from './log-fields.ts';

const result: AccessResult = {
  status: 200,
  durationMs: 1.23456,
  bytesIn: 10,
  bytesOut: 20,
  tries: 1,
  requestId: undefined,
  traceId: undefined,
  spanId: undefined,
  route: '/*',
  cluster: 'users',
  endpoint: '10.0.0.1:80',
  reason: undefined,
};

function lineOf(format: LineFormat | FormatProblem, head: string | undefined): string {
  if (format instanceof FormatProblem) throw new Error(format.expected);
  const taken = format.take(head === undefined ? undefined : routeRequest(head));
  return format.line({ client: '192.0.2.1', taken }, result, 'NOW');
}

describe('a line as JSON', () => {
  it('has all fields but the query', () => {
    const line = lineOf(LineFormat.json(), 'GET /a?secret=1\nhost: x');
    expect(Object.keys(JSON.parse(line) as object)).toEqual(DEFAULT_JSON_FIELDS);
    expect(JSON.parse(line)).toMatchObject({
      time: 'NOW',
      client: '192.0.2.1',
      method: 'GET',
      host: 'x',
      path: '/a',
      status: 200,
      durationMs: 1.235,
      requestId: null,
    });
    expect(line).not.toContain('secret');
  });

  it('may have other fields, headers among them', () => {
    const format = LineFormat.json(['query', 'header:User-Agent']);
    expect(lineOf(format, 'GET /a?b\nuser-agent: "me"')).toBe(
      '{"query":"?b","header:User-Agent":"\\u0022me\\u0022"}',
    );
  });

  it('of a request that could not be read has nulls', () => {
    expect(lineOf(LineFormat.json(['method', 'status']), undefined)).toBe(
      '{"method":null,"status":200}',
    );
  });
});

describe('a line as text', () => {
  it('has its fields in place, and a dash for what is not there', () => {
    const format = LineFormat.text('%{client} "%{method} %{path}%{query}" %{requestId} 100%%');
    expect(lineOf(format, 'GET /a?b')).toBe('192.0.2.1 "GET /a?b" - 100%');
  });

  it('escapes whatever could end a value or a line', () => {
    const format = LineFormat.text('"%{header:x}"');
    expect(lineOf(format, 'GET /\nx: a"b\\c\u001b[31m\u009bd\u007f')).toBe(
      '"a\\x22b\\x5cc\\x1b[31m\\x9bd\\x7f"',
    );
  });
});

describe('a format', () => {
  it.each([
    ['%{nothing}', 'nothing'],
    ['100%', '%'],
    ['%{header:}', 'header:'],
    ['%{open', '%'],
  ])('%j is refused because of %j', (text, actual) => {
    const format = LineFormat.text(text);
    expect(format).toBeInstanceOf(FormatProblem);
    expect((format as FormatProblem).actual).toBe(actual);
  });

  it('of JSON is refused for a field that means nothing', () => {
    expect(LineFormat.json(['status', 'verb'])).toBeInstanceOf(FormatProblem);
  });
});
