import { describe, expect, it } from 'vitest';
import { ConfigError } from '../error/config-error.ts';
import { decode } from '../schema/decode.ts';
import { cookieAffinitySchema } from './config.ts';

const SECRET = 'sixteen bytes ok';

function issuesOf(raw: unknown): readonly { path: string; expected: string; actual: string }[] {
  try {
    decode(cookieAffinitySchema, raw, 'affinity');
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  return [];
}

describe('cookieAffinitySchema', () => {
  it('needs nothing but secrets', () => {
    expect(decode(cookieAffinitySchema, { secrets: [SECRET] }, '')).toEqual({
      secrets: [SECRET],
      name: 'evenkeel',
      path: '/',
      maxAgeMs: 86_400_000,
      session: false,
      secure: false,
      httpOnly: true,
      sameSite: 'lax',
      strict: false,
    });
  });

  it.each([
    ['none', []],
    ['too many', new Array(9).fill(SECRET)],
    ['a short text', ['fifteen bytes..']],
    ['short bytes', [new Uint8Array(15)]],
    ['one that is missing', [undefined]],
    ['a number', [1_234_567_890_123_456]],
    ['no list', SECRET],
  ])('refuses secrets: %s', (_name, secrets) => {
    const [issue] = issuesOf({ secrets });
    expect(issue?.path).toMatch(/^affinity\.secrets/);
  });

  it('never shows a secret in a message', () => {
    const raw = { secrets: ['short & dear'], name: 'a b', sameSite: 'none' };
    expect(issuesOf(raw).length).toBeGreaterThan(1);
    expect(JSON.stringify(issuesOf(raw))).not.toContain('dear');
  });

  it.each([
    ['name', 'two words'],
    ['name', 'semi;colon'],
    ['name', ''],
    ['path', 'app'],
    ['path', '/a;Domain=evil.example'],
    ['path', '/a\r\nSet-Cookie: x=1'],
    ['domain', 'example.com; Secure'],
    ['domain', 'a..b'],
    ['domain', ''],
    ['maxAgeMs', 999],
    ['maxAgeMs', 401 * 86_400_000],
    ['sameSite', 'Lax'],
    ['sameSite', 'none'],
    ['name', '__Host-route'],
    ['name', '__secure-route'],
  ])('refuses what would make a wrong header: %s = %j', (option, value) => {
    expect(issuesOf({ secrets: [SECRET], [option]: value })).toHaveLength(1);
  });

  it('keeps to the rules of cookie prefixes', () => {
    const host = { secrets: [SECRET], name: '__Host-route', secure: true };
    expect(issuesOf(host)).toEqual([]);
    expect(issuesOf({ ...host, path: '/app' })).toHaveLength(1);
    expect(issuesOf({ ...host, domain: 'example.com' })).toHaveLength(1);
    expect(issuesOf({ ...host, name: '__Secure-route', path: '/app' })).toEqual([]);
  });

  it('is quick with a domain made to be slow', () => {
    expect(issuesOf({ secrets: [SECRET], domain: `${'a-'.repeat(5_000)}!` })).toHaveLength(1);
  });
});
