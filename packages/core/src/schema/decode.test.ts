import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError } from '../error/config-error.ts';
import { decode } from './decode.ts';
import { durationMs, integer, object, oneOf, text } from './fields.ts';

const schema = object({
  attempts: integer({ min: 0, max: 5 }).default(2),
  mode: oneOf(['a', 'b']).optional(),
  http: object({
    intervalMs: durationMs({ min: 1, max: 1_000 }),
    token: text(4).optional(),
  }).optional(),
  list: z.array(object({ port: integer({ min: 1, max: 9 }) })).optional(),
});

describe('decode', () => {
  it('fills defaults', () => {
    expect(decode(schema, {}, '')).toEqual({ attempts: 2 });
  });

  it.each([
    [{ attempts: 9 }, 'c.attempts: expected an integer from 0 to 5, got 9'],
    [{ attempts: 1.5 }, 'c.attempts: expected an integer from 0 to 5, got 1.5'],
    [{ attempts: 'x' }, 'c.attempts: expected an integer from 0 to 5, got "x"'],
    [{ mode: 'c' }, 'c.mode: expected one of a, b, got "c"'],
    [
      { http: { intervalMs: 0 } },
      'c.http.intervalMs: expected a duration from 1 ms to 1000 ms, got 0',
    ],
    [{ http: {} }, 'c.http.intervalMs: expected a duration from 1 ms to 1000 ms, got nothing'],
    [{ http: 7 }, 'c.http: expected an object with intervalMs, token, got 7'],
    [
      { list: [{ port: 1 }, { port: 10 }] },
      'c.list[1].port: expected an integer from 1 to 9, got 10',
    ],
    [null, 'c: expected an object with attempts, mode, http, list, got null'],
  ])('%j', (raw, message) => {
    expect(() => decode(schema, raw, 'c')).toThrow(message);
  });

  it('reports every unknown key where it stands, with its value', () => {
    const error = failure({ atempts: 1, http: { intervalMs: 5, zz: true } });
    expect(error.issues).toMatchObject([
      { path: 'c.http.zz', actual: 'true' },
      { path: 'c.atempts', actual: '1' },
    ]);
  });

  it('never shows a secret', () => {
    const error = failure({ http: { intervalMs: 5, token: 'hunter2-hunter2' } });
    expect(error.message).not.toContain('hunter2');
    expect(error.issues[0]?.path).toBe('c.http.token');
  });

  it('reports the branch of a union that the value was meant for', () => {
    const union = z.union([text(), object({ name: text() })], {
      error: 'a name, or an object with name',
    });
    expect(() => decode(union, 5, 'policy')).toThrow(
      'policy: expected a name, or an object with name, got 5',
    );
    expect(() => decode(union, { name: 'x', size: 1 }, 'policy')).toThrow(
      /^policy\.size: expected no such option/,
    );
  });

  function failure(raw: unknown): ConfigError {
    try {
      decode(schema, raw, 'c');
    } catch (error) {
      if (error instanceof ConfigError) return error;
    }
    throw new Error('nothing was refused');
  }
});
