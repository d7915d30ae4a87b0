import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isEvenkeelError } from '../error/evenkeel-error.ts';
import { decode } from '../schema/decode.ts';
import { BUILT_IN_POLICIES } from './built-in.ts';
import { hashKeySourceOf, hashKeySourceSchema } from './hash-key.ts';
import { PolicyRegistry } from './registry.ts';

const registry = new PolicyRegistry(BUILT_IN_POLICIES);
const KEYED_NAMES = BUILT_IN_POLICIES.filter(({ keyed }) => keyed).map(({ name }) => name);

function failureOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (isEvenkeelError(error, 'EVENKEEL_CONFIG')) return error.message;
    throw error;
  }
  return 'no error';
}

describe('hashKeySourceSchema', () => {
  it.each([
    { header: 'X-User-Id' },
    { cookie: 'session' },
    { query: 'naïve key' },
    { path: true },
    { sourceAddress: true },
  ] as const)('takes %j', (source) => {
    expect(decode(hashKeySourceSchema, source, 'hashKey')).toEqual(source);
  });

  it.each([
    ['nothing', {}],
    ['two sources', { header: 'a', cookie: 'b' }],
    ['an unknown source', { ip: true }],
    ['a header that no request can have', { header: 'x user' }],
    ['an empty name', { query: '' }],
    ['a name of 257 characters', { header: 'x'.repeat(257) }],
    ['path: false', { path: false }],
    ['a text', 'x-user-id'],
  ])('refuses %s', (_name, source) => {
    expect(failureOf(() => decode(hashKeySourceSchema, source, 'policy.hashKey'))).toMatch(
      /^policy\.hashKey/,
    );
  });

  it('takes a function as it is', () => {
    const source = (): string => 'key';
    expect(decode(hashKeySourceSchema, source, 'hashKey')).toBe(source);
    expect(hashKeySourceOf(registry.decode({ name: 'maglev', hashKey: source }).config)).toBe(
      source,
    );
  });

  it('names the place and what is allowed there', () => {
    const raw = { hashKey: { header: 'no spaces allowed' } };
    const schema = z.object({ hashKey: hashKeySourceSchema });
    expect(failureOf(() => decode(schema, raw, 'policy'))).toMatch(
      /policy\.hashKey.*expected .*header.*got /,
    );
  });

  it('exports as JSON Schema', () => {
    const schema = z.toJSONSchema(hashKeySourceSchema, { unrepresentable: 'any' });
    expect(JSON.stringify(schema)).toContain('"header"');
    // A function is nothing that data could match.
    expect(schema.anyOf?.at(-1)).toEqual({ not: {} });
  });
});

describe('hashKeySourceOf', () => {
  it.each(KEYED_NAMES)('finds the source in the options of %s', (name) => {
    const { config } = registry.decode({ name, hashKey: { header: 'x-user-id' } });
    expect(hashKeySourceOf(config)).toEqual({ header: 'x-user-id' });
  });

  it.each(KEYED_NAMES)('finds none where %s is given none', (name) => {
    expect(hashKeySourceOf(registry.decode(name).config)).toBeUndefined();
  });

  it('looks through the wrapper', () => {
    const { config } = registry.decode({
      name: 'bounded-load',
      policy: { name: 'ring-hash', hashKey: { cookie: 'session' } },
    });
    expect(hashKeySourceOf(config)).toEqual({ cookie: 'session' });
  });

  it('is not misled by what is not a source', () => {
    const cyclic: Record<string, unknown> = { hashKey: 7 };
    cyclic['policy'] = cyclic;
    for (const config of [
      undefined,
      null,
      'maglev',
      7,
      [],
      { hashKey: 'x' },
      { policy: 'maglev' },
      cyclic,
    ]) {
      expect(hashKeySourceOf(config)).toBeUndefined();
    }
  });

  it('is never found in the options of a policy that is not keyed', () => {
    for (const { name, keyed } of BUILT_IN_POLICIES) {
      if (keyed) continue;
      expect(failureOf(() => registry.decode({ name, hashKey: { path: true } }))).toContain(
        'policy.hashKey',
      );
    }
  });
});
