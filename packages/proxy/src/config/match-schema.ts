/** Checks which requests a route is for, and makes of it what the index of routes wants. */
import { flag, object, text } from '@evenkeel/core/schema';
import { z } from 'zod';
import type {
  CertificateMatch,
  ConditionParts,
  NamedMatch,
  ValueMatch,
} from '../route/conditions.ts';
import type { PathMatch } from '../route/path-index.ts';
import { parseTemplate } from '../route/path-template.ts';
import { SafeRegex } from '../route/safe-regex.ts';
import { someNetworksSchema } from './networks.ts';

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
  exact: wanted.optional().describe('The whole value.'),
  prefix: wanted.optional().describe('How it begins.'),
  regex: regexSchema.optional().describe('For the whole value, in the syntax of RE2.'),
  present: flag().optional().describe('Is it there, or not?'),
})
  .refine(exactlyOne(VALUE_KINDS), { error: `one of ${VALUE_KINDS.join(', ')}` })
  .meta({ title: 'A value' });

const PATH_KINDS = ['exact', 'prefix', 'template', 'regex'] as const;

const FINGERPRINT = /^([0-9a-f]{2}:?){31}[0-9a-f]{2}$/i;

/** Nothing but `present` where a client must have none. */
const certificateMatchSchema = object({
  present: flag().default(true).describe('Has the client to have a certificate, or not to?'),
  subject: valueMatch.optional().describe("The subject's common name."),
  name: valueMatch
    .optional()
    .describe('One of the alternative names, with its kind: `DNS:a.example`, `URI:spiffe://a/b`.'),
  fingerprints: z
    .array(text(95).regex(FINGERPRINT, { error: 'SHA-256 in hexadecimal' }))
    .max(10_000)
    .default([])
    .describe('SHA-256 of certificates, in hexadecimal, any of them.'),
}).refine(
  ({ present, subject, name, fingerprints }) =>
    present || (subject === undefined && name === undefined && fingerprints.length === 0),
  { error: 'nothing else beside present: false' },
);

const rawMatchSchema = object({
  path: object({
    exact: pathSchema.optional().describe('The whole path.'),
    prefix: pathSchema.optional().describe('How the path begins.'),
    template: templateSchema
      .optional()
      .describe(
        '`/users/{id}/files/{path*}`: a parameter is a whole segment; one with a star is all that is left.',
      ),
    regex: regexSchema.optional().describe('For the whole path, in the syntax of RE2.'),
  })
    .refine(exactlyOne(PATH_KINDS), { error: `one of ${PATH_KINDS.join(', ')}` })
    .default({ prefix: '/' })
    .describe('Exactly one of these. Paths are compared as they were sent.'),
  methods: z
    .array(text(32).regex(TOKEN, { error: 'a method' }))
    .min(1, { error: 'at least one method' })
    .default([])
    .describe('Any of them, in their case. Left out: all.'),
  headers: valueMatches(headerName).describe('By name, whose case does not count.'),
  query: valueMatches(text(256)).describe(
    'By name, decoded; the first parameter of a name counts.',
  ),
  cookies: valueMatches(text(256).regex(TOKEN, { error: 'the name of a cookie' })).describe(
    'By name, whose case counts; not decoded.',
  ),
  certificate: certificateMatchSchema
    .optional()
    .describe("What the client's certificate says, where the listener asks for one."),
  sources: someNetworksSchema
    .optional()
    .describe('Addresses and networks of clients, any of them.'),
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
      certificate: raw.certificate && certificateMatchOf(raw.certificate),
    },
  };
}

function certificateMatchOf({
  present,
  subject,
  name,
  fingerprints,
}: z.output<typeof certificateMatchSchema>): CertificateMatch {
  return {
    present,
    subject: subject && valueMatchOf(subject),
    name: name && valueMatchOf(name),
    fingerprints: new Set(fingerprints.map((text) => text.replaceAll(':', '').toLowerCase())),
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
