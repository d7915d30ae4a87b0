/** What requests are counted by: their route, their client, a value of theirs, or several of these together. */
import { createHash } from 'node:crypto';
import { object } from '@evenkeel/core/schema';
import { z } from 'zod';
import { clientPrefix, type ClientPrefixes } from '../../address/client-prefix.ts';
import type { FilterRequest } from '../filter.ts';
import { fieldName, parameterName } from './fields.ts';

/** One part of a key. */
export type KeyPart =
  | 'route'
  | 'client'
  | 'peer'
  | 'method'
  | 'host'
  | { readonly header: string }
  | { readonly cookie: string }
  | { readonly query: string };

const WORDS = ['route', 'client', 'peer', 'method', 'host'] as const;
const EXPECTED = `one of ${WORDS.join(', ')}, { header }, { cookie } and { query }`;

const keyPart: z.ZodType<KeyPart> = z.union(
  [
    z.enum(WORDS, { error: EXPECTED }),
    object({ header: fieldName.describe('Name of a header of the request.') }),
    object({ cookie: parameterName.describe('Name of a cookie of the request.') }),
    object({ query: parameterName.describe('Name of a parameter of the query.') }),
  ],
  { error: EXPECTED },
);

/** No part: all requests together. */
export const keyParts: z.ZodType<readonly KeyPart[]> = z
  .array(keyPart, { error: `a list of ${EXPECTED}` })
  .max(8, { error: '8 parts at most' });

/** Longer keys are kept as their hash, so that nobody fills the memory with long headers. */
const MAX_KEY_CHARACTERS = 128;

export class RequestKey {
  readonly #parts: readonly KeyPart[];
  readonly #prefixes: ClientPrefixes;

  constructor(parts: readonly KeyPart[], prefixes: ClientPrefixes) {
    this.#parts = parts;
    this.#prefixes = prefixes;
  }

  /** @returns undefined when a header, cookie or parameter of the key is missing */
  of(request: FilterRequest): string | undefined {
    let key = '';
    for (const part of this.#parts) {
      const value = this.#valueOf(part, request);
      if (value === undefined) return undefined;
      // NUL cannot be within a header, and what was decoded is told apart by its length.
      key += typeof part === 'object' ? `${value.length}:${value}\0` : `${value}\0`;
    }
    return key.length > MAX_KEY_CHARACTERS
      ? createHash('sha256').update(key).digest('base64')
      : key;
  }

  #valueOf(part: KeyPart, request: FilterRequest): string | undefined {
    if (typeof part === 'object') {
      if ('header' in part) return request.header(part.header);
      if ('cookie' in part) return request.cookie(part.cookie);
      return request.query(part.query);
    }
    switch (part) {
      case 'route':
        return request.route;
      case 'client':
        return clientPrefix(request.clientAddress, this.#prefixes);
      case 'peer':
        return clientPrefix(request.sourceAddress ?? '', this.#prefixes);
      case 'method':
        return request.method;
      case 'host':
        return request.host.toLowerCase();
    }
  }
}
