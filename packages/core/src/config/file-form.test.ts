import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError } from '../error/config-error.ts';
import { durationMs, flag, integer, object, oneOf, text } from '../schema/fields.ts';
import { codeFormOf } from './file-form.ts';

const interval = durationMs({ min: 1, max: 3_600_000 });

/** One of everything that schemas are made of. */
const schema = object({
  name: text(),
  intervalMs: interval.default(5000),
  limits: object({
    timeoutMs: interval.optional(),
    count: integer({ min: 1, max: 9 }).default(3),
  }).optional(),
  stepsMs: z.array(interval).max(3).optional(),
  pauseMs: z
    .union([interval, z.literal(false)], { error: 'pauseMs as a duration, or false' })
    .optional(),
  targets: z.record(z.string(), object({ delayMs: interval })).optional(),
  check: z
    .union(
      [
        object({ http: object({ waitMs: interval }) }),
        object({ tcp: object({ waitMs: interval }) }),
      ],
      {
        error: 'http or tcp',
      },
    )
    .optional(),
  item: z
    .discriminatedUnion('kind', [
      object({ kind: z.literal('slow'), rampMs: interval }),
      object({ kind: z.literal('fast'), steps: integer({ min: 1, max: 5 }) }),
    ])
    .optional(),
  source: z
    .union([text(), z.custom<() => void>((value) => typeof value === 'function')])
    .optional(),
  onEvent: z.custom<() => void>((value) => typeof value === 'function').optional(),
  // Ends in Ms, but is no duration: keeps its name.
  itemsMs: z.boolean().optional(),
  mode: oneOf(['on', 'off']).optional(),
  open: flag().prefault(true),
  converted: z
    .string()
    .transform((value) => value.length)
    .optional(),
}).refine((value) => (value.limits?.timeoutMs ?? 0) <= value.intervalMs, {
  error: 'a duration of at most intervalMs',
  path: ['limits', 'timeoutMs'],
});

const base = { name: 'n' };

function messageOf(raw: unknown): string {
  try {
    codeFormOf(schema, raw, 'clusters.users');
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('accepted');
}

describe('codeFormOf', () => {
  it.each([
    [{ interval: '5s' }, { intervalMs: 5000 }],
    [{ limits: { timeout: '1s500ms', count: 2 } }, { limits: { timeoutMs: 1500, count: 2 } }],
    [{ steps: ['1s', '2s'] }, { stepsMs: [1000, 2000] }],
    [{ pause: '1m' }, { pauseMs: 60_000 }],
    [{ pause: false }, { pauseMs: false }],
    [{ targets: { aMs: { delay: '1s' } } }, { targets: { aMs: { delayMs: 1000 } } }],
    [{ check: { tcp: { wait: '1s' } } }, { check: { tcp: { waitMs: 1000 } } }],
    [{ item: { kind: 'slow', ramp: '30s' } }, { item: { kind: 'slow', rampMs: 30_000 } }],
    [{ source: 'here' }, { source: 'here' }],
    [{ itemsMs: true }, { itemsMs: true }],
    // Conversions happen once, when the code's form is decoded.
    [{ converted: 'abc' }, { converted: 'abc' }],
  ])('brings %j into %j', (file, code) => {
    expect(codeFormOf(schema, { ...base, ...file }, '')).toEqual({ ...base, ...code });
  });

  it('fills in no defaults: the schema of the code does', () => {
    expect(codeFormOf(schema, base, '')).toEqual(base);
  });

  it.each([
    [
      { interval: '5 parsecs' },
      'clusters.users.interval: expected a duration such as 5s or 100ms, from 1ms to 1h, got "5 parsecs"',
    ],
    [
      { interval: 5000 },
      'clusters.users.interval: expected a duration such as 5s or 100ms, from 1ms to 1h, got 5000',
    ],
    [
      { interval: '2h' },
      'clusters.users.interval: expected a duration such as 5s or 100ms, from 1ms to 1h, got "2h"',
    ],
    [
      { interval: '0s' },
      'clusters.users.interval: expected a duration such as 5s or 100ms, from 1ms to 1h, got "0s"',
    ],
    [
      { steps: ['1s', 'x'] },
      'clusters.users.steps[1]: expected a duration such as 5s or 100ms, from 1ms to 1h, got "x"',
    ],
    [
      { check: { tcp: { wait: 'x' } } },
      'clusters.users.check.tcp.wait: expected a duration such as 5s or 100ms, from 1ms to 1h, got "x"',
    ],
    [{ check: 7 }, 'clusters.users.check: expected http or tcp, got 7'],
    [{ pause: true }, 'clusters.users.pause: expected pause as a duration, or false, got true'],
    [
      { targets: { a: { delay: 1 } } },
      'clusters.users.targets.a.delay: expected a duration such as 5s or 100ms, from 1ms to 1h, got 1',
    ],
    [
      { limits: { count: 12 } },
      'clusters.users.limits.count: expected an integer from 1 to 9, got 12',
    ],
    [{ mode: 'of' }, 'clusters.users.mode: expected one of on, off, got "of"'],
  ])('says of %j: %s', (file, message) => {
    expect(messageOf({ ...base, ...file })).toBe(message);
  });

  it('knows only the names of the file and suggests them', () => {
    expect(messageOf({ ...base, limits: { timeoutMs: 5 } })).toBe(
      "clusters.users.limits.timeoutMs: expected no such option; did you mean 'timeout'? (known: timeout, count), got 5",
    );
    expect(messageOf({ ...base, onEvent: 'x' })).toContain(
      'clusters.users.onEvent: expected no such option',
    );
  });

  it('tells of rules across fields in the names and values of the file', () => {
    expect(messageOf({ ...base, interval: '1s', limits: { timeout: '2s' } })).toBe(
      'clusters.users.limits.timeout: expected a duration of at most interval, got "2s"',
    );
  });

  it('ends on schemas that contain themselves', () => {
    const node: z.ZodType = object({
      waitMs: interval,
      get child() {
        return node.optional();
      },
    });
    expect(codeFormOf(node, { wait: '1s', child: { wait: '2s' } }, '')).toEqual({
      waitMs: 1000,
      child: { waitMs: 2000 },
    });
    expect(() => codeFormOf(node, { wait: '1s', child: { wait: 'x' } }, '')).toThrow(
      /^child\.wait: expected a duration/,
    );
  });

  it('carries a key named __proto__ over as any other', () => {
    const raw = JSON.parse(
      '{ "name": "n", "targets": { "__proto__": { "delay": "1s" } } }',
    ) as unknown;
    const code = codeFormOf(schema, raw, '') as { targets: object };
    expect(({} as Record<string, unknown>)['delayMs']).toBeUndefined();
    expect(Object.getPrototypeOf(code.targets)).toBe(Object.prototype);
  });
});
