/**
 * Where the key of a keyed policy comes from: the `hashKey` option that maglev, ring-hash, ketama, rendezvous and
 * bounded-load share. Policies themselves never read it. They hash whatever `PickContext.hashKey` carries; the cluster
 * publishes the source, and clients that see whole requests (undici, a proxy) take the key from there.
 */
import { z } from 'zod';
import type { HashKeyFunction, HashKeySource } from '../model/hash-key-source.ts';
import { object, text } from '../schema/fields.ts';

/** Longest header, cookie or query parameter name accepted. */
const MAX_NAME_LENGTH = 256;

/** Wrappers looked through; guards against options that contain themselves. */
const MAX_WRAPPERS = 8;

/** RFC 9110 section 5.6.2 `token`: what header names are made of, and cookie names too (RFC 6265 section 4.1.1). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Schema of a {@link HashKeySource}: exactly one of
 *
 * - `{ header: 'x-user-id' }`: value of a request header, named in any case
 * - `{ cookie: 'session' }`: value of a cookie, names are case-sensitive
 * - `{ query: 'user' }`: first value of a query parameter, decoded
 * - `{ path: true }`: the path without the query
 * - `{ sourceAddress: true }`: the address that the request came from, which only proxies know
 *
 * or, in code, a function that works the key out of the request.
 */
export const hashKeySourceSchema: z.ZodType<HashKeySource> = z
  .union(
    [
      object({
        header: tokenName('a header name').describe('A request header, named in any case.'),
      }),
      object({ cookie: tokenName('a cookie name').describe('A cookie; case counts.') }),
      object({
        query: text(MAX_NAME_LENGTH).describe('A query parameter; its first value counts.'),
      }),
      object({ path: z.literal(true, { error: 'true' }).describe('The path without the query.') }),
      object({
        sourceAddress: z
          .literal(true, { error: 'true' })
          .describe('The address that the request came from, where a proxy received it.'),
      }),
      // In JSON Schema something that nothing matches: only code can express a function.
      z.custom<HashKeyFunction>((value) => typeof value === 'function').meta({ not: {} }),
    ],
    {
      error:
        'one of { header: name }, { cookie: name }, { query: name }, { path: true } or { sourceAddress: true }',
    },
  )
  .meta({
    title: 'Hash key source',
    description:
      'Where clients find the affinity key. Left out: nowhere, the caller passes it per pick.',
  });

/** What every keyed policy takes besides its own options. */
export interface HashKeyOptions {
  /** Where clients find the affinity key in a request. Default: nowhere, the caller passes `hashKey` per pick. */
  readonly hashKey?: HashKeySource | undefined;
}

/**
 * The hash key source in a policy's decoded options, or in those of the policy that it wraps; undefined when there is
 * none, or when it does not have the shape of one. Takes `unknown` because only the policy knows its options' type,
 * and the cluster asks every policy, also those of its user.
 */
export function hashKeySourceOf(config: unknown): HashKeySource | undefined {
  // A wrapper keeps its child's options in `policy`, checked only when the child is created: hence the parse here.
  let options = config;
  for (
    let depth = 0;
    depth < MAX_WRAPPERS && isRecord(options);
    depth++, options = options['policy']
  ) {
    const source = hashKeySourceSchema.safeParse(options['hashKey']);
    if (source.success) return source.data;
  }
  return undefined;
}

function tokenName(what: string): z.ZodString {
  const error = `${what} of 1 to ${MAX_NAME_LENGTH} characters out of RFC 9110's token`;
  return z.string({ error }).max(MAX_NAME_LENGTH, { error }).regex(TOKEN, { error });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
