import type { z } from 'zod';
import { ConfigError, type ConfigIssue, describeValue } from '../error/config-error.ts';
import { isSecretKey, REDACTED } from '../error/redact.ts';

/**
 * Turns a raw value into a checked one, or throws with every issue found.
 *
 * @param path where the value stands, as a user would type it; '' at the root
 * @throws ConfigError
 */
export function decode<T>(schema: z.ZodType<T>, raw: unknown, path: string): T {
  const result = schema.safeParse(raw);
  if (result.success) return result.data;
  throw new ConfigError(configIssues(result.error, raw, path));
}

/** The issues of a zod error as Evenkeel words them: one per unknown key, the most promising branch of a union. */
export function configIssues(error: z.ZodError, raw: unknown, path: string): ConfigIssue[] {
  return error.issues.flatMap((issue) => issuesOf(issue, raw, path));
}

function issuesOf(issue: z.core.$ZodIssue, raw: unknown, base: string): ConfigIssue[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) =>
      unknownKey({ raw, base, path: [...issue.path, key], expected: issue.message }),
    );
  }
  if (issue.code === 'invalid_union') {
    const branch = deepestBranch(issue.errors);
    if (branch !== undefined) {
      return branch.flatMap((inner) =>
        issuesOf({ ...inner, path: [...issue.path, ...inner.path] }, raw, base),
      );
    }
  }
  return [issueAt({ raw, base, path: issue.path, expected: issue.message })];
}

/** The branch of a union that got furthest is the one the user meant; undefined when none got past its first value. */
function deepestBranch(
  branches: readonly (readonly z.core.$ZodIssue[])[],
): readonly z.core.$ZodIssue[] | undefined {
  const candidates = branches.filter(
    (issues) => issues.length > 0 && issues.every((issue) => depthOf(issue) > 0),
  );
  return candidates.length === 1 ? candidates[0] : undefined;
}

function depthOf(issue: z.core.$ZodIssue): number {
  return issue.path.length + (issue.code === 'unrecognized_keys' ? 1 : 0);
}

interface IssuePlace {
  readonly raw: unknown;
  readonly base: string;
  readonly path: readonly PropertyKey[];
  readonly expected: string;
}

function issueAt({ raw, base, path, expected }: IssuePlace): ConfigIssue {
  let value = raw;
  for (const key of path) {
    value =
      typeof value === 'object' && value !== null
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined;
  }
  const secret = value !== undefined && path.some(isSecretKey);
  return { path: joinPath(base, path), expected, actual: secret ? REDACTED : describeValue(value) };
}

/** Of a key that is not known, not even whether its value is a secret is known: a text is not shown. */
function unknownKey(place: IssuePlace): ConfigIssue {
  const issue = issueAt(place);
  return /^["[{]/.test(issue.actual) ? { ...issue, actual: 'a value' } : issue;
}

/** `base.a[3].b` */
export function joinPath(base: string, path: readonly PropertyKey[]): string {
  let text = base;
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else text += text === '' ? String(key) : `.${String(key)}`;
  }
  return text === '' ? 'config' : text;
}
