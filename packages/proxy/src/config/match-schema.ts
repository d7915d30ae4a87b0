/** Checks which requests a route is for, and makes of it what the index of routes wants. */
import { flag, object, text } from '@evenkeel/core/schema';
import { z } from 'zod';
import type { ConditionParts, NamedMatch, ValueMatch } from '../route/conditions.ts';
import type { PathMatch } from '../route/path-index.ts';
import { parseTemplate } from '../route/path-template.ts';
import { SafeRegex } from '../route/safe-regex.ts';
import { networksSchema } from './networks.ts';

/** A checked `match`. */
export interface MatchConfig {
  readonly path: PathMatch;
  readonly conditions: ConditionParts;
}

const PATH = /^\/[^\s#?]*$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const MAX_REGEX_CHARACTERS = 1_024;

export const headerName: z.ZodString = z.string().max(256).regex(TOKEN, { error: 'a header name' });

/** Is just one of the options there? */
export const exactlyOne =
  (names: readonly string[]) =>
  (value: Readonly<Record<string, unknown>>): boolean =>
    names.filter((name) => value[name] !== undefined).length === 1;

const pathSchema = z
  .string({ error: 'a path that begins with /' })
  .max(4_096)
  .regex(PATH, { error: 'a path that begins with / and has no query' });

const templateSchema = pathSchema.superRefine((template, context) => {
  refusing(context, () => parseTemplate(template));
});

const regexSchema = z
  .string({ error: 'a regular expression' })
  .min(1, { error: 'a regular expression' })
  .max(MAX_REGEX_CHARACTERS)
  .superRefine((source, context) => {
    refusing(context, () => new SafeRegex(source));
  });

const wanted = z.string({ error: 'a text' }).max(4_096);

const VALUE_KINDS = ['exact', 'prefix', 'regex', 'present'] as const;

const valueMatches = (
  name: z.ZodString,
): z.ZodDefault<z.ZodRecord<z.ZodString, typeof valueMatch>> =>
  z.record(name, valueMatch).default({});

const valueMatch = object({
  exact: wanted.optional(),
  prefix: wanted.optional(),
  regex: regexSchema.optional(),
  present: flag().optional(),
}).refine(exactlyOne(VALUE_KINDS), { error: `one of ${VALUE_KINDS.join(', ')}` });

const PATH_KINDS = ['exact', 'prefix', 'template', 'regex'] as const;

const rawMatchSchema = object({
  path: object({
    exact: pathSchema.optional(),
    prefix: pathSchema.optional(),
    template: templateSchema.optional(),
    regex: regexSchema.optional(),
  })
    .refine(exactlyOne(PATH_KINDS), { error: `one of ${PATH_KINDS.join(', ')}` })
    .default({ prefix: '/' }),
  methods: z
    .array(text(32).regex(TOKEN, { error: 'a method' }))
    .min(1, { error: 'at least one method' })
    .default([]),
  headers: valueMatches(headerName),
  query: valueMatches(text(256)),
  cookies: valueMatches(text(256).regex(TOKEN, { error: 'the name of a cookie' })),
  sources: networksSchema.optional(),
});

export const matchSchema: z.ZodType<MatchConfig> = rawMatchSchema.transform(configOf);

function configOf(raw: z.output<typeof rawMatchSchema>): MatchConfig {
  return {
    path: pathOf(raw.path),
    conditions: {
      methods: raw.methods,
      headers: namedMatches(raw.headers).map(({ name, match }) => ({
        name: name.toLowerCase(),
        match,
      })),
      query: namedMatches(raw.query),
      cookies: namedMatches(raw.cookies),
      sources: raw.sources,
    },
  };
}

function pathOf(path: z.output<typeof rawMatchSchema>['path']): PathMatch {
  for (const kind of PATH_KINDS) {
    const value = path[kind];
    if (value !== undefined) return { kind, path: value };
  }
  return { kind: 'prefix', path: '/' };
}

function namedMatches(
  matches: Readonly<Record<string, z.output<typeof valueMatch>>>,
): NamedMatch[] {
  return Object.entries(matches).map(([name, value]) => ({ name, match: valueMatchOf(value) }));
}

function valueMatchOf({ exact, prefix, regex, present }: z.output<typeof valueMatch>): ValueMatch {
  if (exact !== undefined) return { kind: 'exact', value: exact };
  if (prefix !== undefined) return { kind: 'prefix', value: prefix };
  if (regex !== undefined) return { kind: 'regex', value: new SafeRegex(regex) };
  return { kind: 'present', value: present === true };
}

function refusing(context: z.RefinementCtx<string>, attempt: () => unknown): void {
  try {
    attempt();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.addIssue({ code: 'custom', message: reason, input: context.value });
  }
}
