/**
 * The building blocks of configuration schemas. Their messages say what is expected ("an integer from 1 to 100"), and
 * `decode` adds where and what was found, so that every part of Evenkeel words its errors alike.
 */
import { z } from 'zod';
import { nearMiss } from './near-miss.ts';

/** Bounds of a number, both inclusive. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Metadata key that marks a duration: in files such a field loses its `Ms` and takes `5s`, `100ms`. */
export const DURATION_MARK = 'evenkeel:duration';

/** An integer in a range. */
export function integer({ min, max }: Range): z.ZodNumber {
  const error = `an integer from ${min} to ${max}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}

/** Any finite number in a range. */
export function number({ min, max }: Range): z.ZodNumber {
  const error = `a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}

/** A length of time in milliseconds, fractions allowed. */
export function durationMs({ min, max }: Range): z.ZodNumber {
  const error = `a duration from ${min} ms to ${max} ms`;
  return z
    .number({ error })
    .min(min, { error })
    .max(max, { error })
    .meta({ [DURATION_MARK]: true });
}

/** 0..100. */
export function percent(): z.ZodNumber {
  const error = 'a percentage from 0 to 100';
  return z.number({ error }).min(0, { error }).max(100, { error });
}

/** A text of 1 to `max` characters. */
export function text(max = 1024): z.ZodString {
  const error = `a text of 1 to ${max} characters`;
  return z.string({ error }).min(1, { error }).max(max, { error });
}

/** true or false. */
export function flag(): z.ZodBoolean {
  return z.boolean({ error: 'true or false' });
}

/** One of a few words. */
export function oneOf<const T extends readonly [string, ...string[]]>(
  words: T,
): z.ZodType<T[number], T[number]> {
  return z.enum(words, { error: `one of ${words.join(', ')}` });
}

/** An object with exactly these fields; unknown keys are errors. */
export function object<Shape extends z.ZodRawShape>(
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) => describeObjectIssue(issue, Object.keys(shape)),
  });
}

function describeObjectIssue(issue: ObjectIssue, known: readonly string[]): string {
  if (issue.code !== 'unrecognized_keys') return `an object with ${known.join(', ')}`;
  const meant = (issue.keys ?? [])
    .map((key) => nearMiss(key, known))
    .filter((key) => key !== undefined);
  const hint =
    meant.length === 0 ? '' : `; did you mean ${meant.map((key) => `'${key}'`).join(', ')}?`;
  return `no such option${hint} (known: ${known.join(', ')})`;
}

interface ObjectIssue {
  readonly code?: string | undefined;
  readonly keys?: readonly string[] | undefined;
}
