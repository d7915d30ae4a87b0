import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../error/config-error.ts';
import { BUILT_IN_POLICIES } from '../policy/built-in.ts';
import { definePolicy, type Policy } from '../policy/policy.ts';
import { integer, object } from '../schema/fields.ts';
import { decodeClusterOptions } from './cluster-config.ts';
import { decodeClusterFile } from './cluster-file.ts';
import { clusterJsonSchema, type JsonSchema } from './json-schema.ts';

const code = clusterJsonSchema({ form: 'code' });
const file = clusterJsonSchema({ form: 'file' });

const create = (): never => {
  throw new Error('not created');
};

/** Strict: an unknown keyword or a type that its keywords do not fit is an error in the schema. */
function compile(schema: JsonSchema): ValidateFunction {
  return new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: false }).compile(schema);
}

/** Every schema object in a document. */
function* nodesOf(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const part of Object.values(value)) yield* nodesOf(part);
}

describe('clusterJsonSchema', () => {
  it.each([
    ['code', code],
    ['file', file],
  ])('is a valid schema of the %s form, plain data without marks of our own', (_form, schema) => {
    expect(new Ajv2020().validateSchema(schema)).toBe(true);
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
    expect(JSON.stringify(schema)).not.toContain('evenkeel:');
  });

  const discovery = ['10.0.0.1:80', { host: 'a', port: 80, metadata: { version: 'v2' } }];
  const cases: readonly [title: string, code: object, file: object][] = [
    ['the least', { discovery }, { discovery }],
    ['a policy by name', { discovery, policy: 'maglev' }, { discovery, policy: 'maglev' }],
    [
      'a policy with options',
      { discovery, policy: { name: 'peak-ewma', decayMs: 5000 } },
      { discovery, policy: { name: 'peak-ewma', decay: '5s' } },
    ],
    [
      'a policy in a policy',
      { discovery, policy: { name: 'bounded-load', policy: { name: 'maglev', tableSize: 251 } } },
      { discovery, policy: { name: 'bounded-load', policy: { name: 'maglev', tableSize: 251 } } },
    ],
    [
      'health checks',
      {
        discovery,
        health: { http: { path: '/h', intervalMs: 100, expectedStatuses: [200, '204-206'] } },
      },
      {
        discovery,
        health: { http: { path: '/h', interval: '100ms', expectedStatuses: [200, '204-206'] } },
      },
    ],
    [
      'no outlier detection',
      { discovery, outlierDetection: false },
      { discovery, outlierDetection: false },
    ],
    [
      'sources within sources',
      {
        discovery: {
          fallback: { sources: [{ file: { path: 'a.json', pollIntervalMs: 1000 } }, discovery] },
        },
      },
      {
        discovery: {
          fallback: { sources: [{ file: { path: 'a.json', pollInterval: '1s' } }, discovery] },
        },
      },
    ],
    [
      'drain and panic',
      { discovery, drain: { timeoutMs: 5 }, panic: {} },
      { discovery, drain: { timeout: '5ms' }, panic: {} },
    ],
  ];

  it.each(cases)('accepts %s in both forms, as the decoders do', (_title, inCode, inFile) => {
    const named = (options: object): object => ({ name: 'users', ...options });
    const validateCode = compile(code);
    const validateFile = compile(file);
    expect(validateCode(named(inCode)), JSON.stringify(validateCode.errors)).toBe(true);
    expect(validateFile(named(inFile)), JSON.stringify(validateFile.errors)).toBe(true);
    expect(decodeClusterFile(named(inFile))).toEqual(named(inCode));
    decodeClusterOptions(named(inCode));
  });

  it.each([
    [{}],
    [{ name: 'users' }],
    [{ name: 'Users', discovery }],
    [{ name: 'users', discovery, polcy: 'random' }],
    [{ name: 'users', discovery, policy: 'nope' }],
    [{ name: 'users', discovery, policy: { name: 'nope' } }],
    [{ name: 'users', discovery, policy: { name: 'random', decay: '5s' } }],
    [{ name: 'users', discovery, policy: { name: 'peak-ewma', decay: '5 s' } }],
    [{ name: 'users', discovery, policy: { name: 'peak-ewma', decay: 5 } }],
    [{ name: 'users', discovery, policy: { name: 'peak-ewma', decayMs: 5000 } }],
    [{ name: 'users', discovery, outlierDetection: true }],
    [{ name: 'users', discovery: [{ host: 'a', port: 0 }] }],
    [{ name: 'users', discovery: { nope: {} } }],
    [{ name: 'users', discovery, health: { http: { path: 'no-slash' } } }],
    [{ name: 'users', discovery, panic: { thresholdPercent: 101 } }],
  ])('refuses %j as a file, as the decoder does', (options) => {
    expect(compile(file)(options)).toBe(false);
    expect(() => decodeClusterFile(options)).toThrow(ConfigError);
  });

  it('knows policies of the user, which may replace a built-in one', () => {
    const mine = (name: string): Policy =>
      definePolicy({
        name,
        keyed: false,
        schema: object({ waitMs: integer({ min: 1, max: 9 }) }),
        create,
      }) as Policy;
    const validate = compile(
      clusterJsonSchema({ form: 'code', policies: [mine('mine'), mine('random')] }),
    );
    expect(validate({ name: 'users', discovery, policy: { name: 'mine', waitMs: 1 } })).toBe(true);
    expect(validate({ name: 'users', discovery, policy: { name: 'random', waitMs: 1 } })).toBe(
      true,
    );
    expect(validate({ name: 'users', discovery, policy: { name: 'mine', waitMs: 10 } })).toBe(
      false,
    );
  });

  it('names each policy with its options', () => {
    const names = [...nodesOf(code)].map(
      (node) => (node['properties'] as { name?: { const?: string } })?.name?.const,
    );
    for (const { name } of BUILT_IN_POLICIES) expect(names).toContain(name);
  });

  it('tells the defaults in the words of each form', () => {
    const intervalOf = (schema: JsonSchema, key: string): unknown =>
      [...nodesOf(schema)].find((node) => key in node && 'fall' in node)?.[key];
    expect(intervalOf(code, 'intervalMs')).toMatchObject({
      default: 5000,
      minimum: 10,
      maximum: 86_400_000,
    });
    expect(intervalOf(file, 'interval')).toMatchObject({ default: '5s', $ref: '#/$defs/duration' });
    expect((intervalOf(file, 'interval') as { description: string }).description).toMatch(
      /A duration from 10ms to 24h\.$/,
    );
  });
});
