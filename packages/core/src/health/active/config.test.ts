import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError } from '../../error/config-error.ts';
import { decode } from '../../schema/decode.ts';
import { activeHealthSchema, redactActiveHealth } from './config.ts';
import { createSelfSigned } from './test-support/self-signed.ts';

interface Issue {
  readonly path: string;
  readonly expected: string;
  readonly actual: string;
}

function issuesOf(raw: unknown): readonly Issue[] {
  try {
    decode(activeHealthSchema, raw, 'health');
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  return [];
}

const TIMING = {
  intervalMs: 5000,
  jitterRatio: 0.1,
  timeoutMs: 1000,
  rise: 2,
  fall: 3,
  initial: 'healthy',
  maxConcurrentChecks: 100,
};

describe('activeHealthSchema', () => {
  it('has a default for everything', () => {
    expect(decode(activeHealthSchema, { http: {} }, 'health')).toEqual({
      kind: 'http',
      ...TIMING,
      path: '/',
      method: 'GET',
      headers: {},
      expectedStatuses: ['200-299'],
      reuseConnection: false,
    });
    expect(decode(activeHealthSchema, { tcp: {} }, 'health')).toEqual({ kind: 'tcp', ...TIMING });
  });

  it('wants exactly one kind of check', () => {
    expect(issuesOf({})).toEqual([
      { path: 'health', expected: "one of 'http' and 'tcp'", actual: '{}' },
    ]);
    expect(issuesOf({ http: {}, tcp: {} })).toEqual([
      { path: 'health.tcp', expected: "nothing beside 'http': one kind of check", actual: '{}' },
    ]);
  });

  it.each<{ options: object; path: string; expected: string; actual: string }>([
    {
      options: { http: { intervalMs: 5 } },
      path: 'health.http.intervalMs',
      expected: 'a duration from 10 ms to 86400000 ms',
      actual: '5',
    },
    {
      options: { tcp: { timeoutMs: 0 } },
      path: 'health.tcp.timeoutMs',
      expected: 'a duration from 1 ms to 600000 ms',
      actual: '0',
    },
    {
      options: { tcp: { rise: 0 } },
      path: 'health.tcp.rise',
      expected: 'an integer from 1 to 100',
      actual: '0',
    },
    {
      options: { tcp: { fall: 1.5 } },
      path: 'health.tcp.fall',
      expected: 'an integer from 1 to 100',
      actual: '1.5',
    },
    {
      options: { tcp: { jitterRatio: -0.1 } },
      path: 'health.tcp.jitterRatio',
      expected: 'a number from 0 to 1',
      actual: '-0.1',
    },
    {
      options: { tcp: { initial: 'maybe' } },
      path: 'health.tcp.initial',
      expected: 'one of healthy, unchecked',
      actual: '"maybe"',
    },
    {
      options: { tcp: { port: 70_000 } },
      path: 'health.tcp.port',
      expected: 'an integer from 1 to 65535',
      actual: '70000',
    },
    {
      options: { http: { path: 'healthz' } },
      path: 'health.http.path',
      expected: "a path that starts with '/', without spaces or control characters",
      actual: '"healthz"',
    },
    {
      options: { http: { path: '/a\r\nx: y' } },
      path: 'health.http.path',
      expected: "a path that starts with '/', without spaces or control characters",
      actual: '"/a\\r\\nx: y"',
    },
    {
      options: { http: { method: 'CONNECT' } },
      path: 'health.http.method',
      expected: 'one of GET, HEAD, OPTIONS, POST',
      actual: '"CONNECT"',
    },
    {
      options: { http: { method: 'HEAD', bodyContains: 'ok' } },
      path: 'health.http.method',
      expected: 'a method whose answer has a body, because a rule looks at it',
      actual: '"HEAD"',
    },
    {
      options: { http: { expectedStatuses: [200, 99] } },
      path: 'health.http.expectedStatuses[1]',
      expected: "a status code from 200 to 599, or a range such as '200-299' or { from, to }",
      actual: '99',
    },
    {
      options: { http: { expectedStatuses: ['299-200'] } },
      path: 'health.http.expectedStatuses[0]',
      expected: "a status code from 200 to 599, or a range such as '200-299' or { from, to }",
      actual: '"299-200"',
    },
    {
      options: { http: { expectedStatuses: [] } },
      path: 'health.http.expectedStatuses',
      expected: 'at least one status code or range',
      actual: '[]',
    },
    {
      options: { http: { bodyMatches: '(' } },
      path: 'health.http.bodyMatches',
      expected: 'a regular expression (u flag)',
      actual: '"("',
    },
    {
      options: { http: { bodyMatches: 'x'.repeat(257) } },
      path: 'health.http.bodyMatches',
      expected: 'a text of 1 to 256 characters',
      actual: expect.stringMatching(/^"x+…$/) as unknown as string,
    },
    {
      options: { http: { headers: { 'bad name': 'x' } } },
      path: 'health.http.headers.bad name',
      expected: 'a header name (RFC 9110 token)',
      actual: '[redacted]',
    },
    {
      options: { http: { headers: { Host: 'x' } } },
      path: 'health.http.headers.Host',
      expected: "nothing here: use the option 'host'",
      actual: '[redacted]',
    },
    {
      options: { http: { headers: { authorization: 'Bearer 123\n' } } },
      path: 'health.http.headers.authorization',
      expected: 'a header value without control characters',
      actual: '[redacted]',
    },
    {
      options: { tcp: { send: { hex: 'abc' } } },
      path: 'health.tcp.send.hex',
      expected: 'pairs of hexadecimal digits',
      actual: '[redacted]',
    },
    {
      options: { tcp: { tls: { cert: 'x' } } },
      path: 'health.tcp.tls.key',
      expected: "PEM text, because 'cert' and 'key' go together",
      actual: 'nothing',
    },
  ])('$path: $expected', ({ options, path, expected, actual }) => {
    expect(issuesOf(options)).toEqual([{ path, expected, actual }]);
  });

  it('refuses options it does not know', () => {
    const [issue] = issuesOf({ tcp: { tls: { rejectUnauthorised: false } } });
    expect(issue?.path).toBe('health.tcp.tls.rejectUnauthorised');
    expect(issue?.expected).toContain('(known: servername, ca, cert, key, rejectUnauthorized)');
  });

  it('refuses certificates that cannot be used', () => {
    const [ca] = issuesOf({ tcp: { tls: { ca: 'not a certificate' } } });
    expect(ca?.path).toBe('health.tcp.tls.ca');
    expect(ca?.expected).toMatch(/^usable PEM text \(/);
    const one = createSelfSigned({ names: ['a'] });
    const other = createSelfSigned({ names: ['b'] });
    const [pair] = issuesOf({ tcp: { tls: { cert: one.cert, key: other.key } } });
    expect(pair?.path).toBe('health.tcp.tls.cert');
    expect(issuesOf({ tcp: { tls: { cert: one.cert, key: one.key, ca: [other.cert] } } })).toEqual(
      [],
    );
  });

  it('can be exported as JSON Schema', () => {
    const schema = z.toJSONSchema(activeHealthSchema, { io: 'input' });
    expect(Object.keys(schema.properties ?? {})).toEqual(['http', 'tcp']);
  });
});

describe('redactActiveHealth', () => {
  it('hides header values, keys and certificates, and keeps the rest', () => {
    const { cert, key } = createSelfSigned({ names: ['a'] });
    const config = decode(
      activeHealthSchema,
      {
        http: {
          path: '/healthz',
          headers: { 'x-custom': 'hush', accept: 'text/plain' },
          tls: { servername: 'users.internal', ca: cert, cert, key },
        },
      },
      'health',
    );
    const shown = redactActiveHealth(config);
    expect(shown).toMatchObject({
      kind: 'http',
      path: '/healthz',
      headers: { 'x-custom': '[redacted]', accept: '[redacted]' },
      tls: {
        servername: 'users.internal',
        ca: '[redacted]',
        cert: '[redacted]',
        key: '[redacted]',
      },
    });
    expect(JSON.stringify(shown)).not.toMatch(/hush|BEGIN/);
  });

  it('hides payloads', () => {
    const config = decode(
      activeHealthSchema,
      { tcp: { send: 'AUTH hush', expect: '+OK', tls: true } },
      'health',
    );
    expect(redactActiveHealth(config)).toMatchObject({
      send: '[redacted]',
      expect: '[redacted]',
      tls: true,
    });
  });
});
