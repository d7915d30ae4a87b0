/** `basicAuth`: asks for a name and a password (RFC 7617). */
import type { z } from 'zod';
import type { Filter, FilterAnswer, FilterRequest } from '../filter.ts';
import type { FilterKind } from '../filter-kind.ts';
import { nameText } from '../shared/field-text.ts';
import { type BasicAuthConfig, type BasicAuthOptions, basicAuthSchema } from './schema.ts';
import { type Verdict, Verifier } from './verifier.ts';

export const basicAuthKind: FilterKind<z.ZodType<BasicAuthConfig, BasicAuthOptions>> = {
  name: 'basicAuth',
  about: 'Users with passwords (RFC 7617).',
  schema: basicAuthSchema,
  create: (config) => new BasicAuthFilter(config),
};

const BUSY: FilterAnswer = {
  status: 503,
  headers: { 'retry-after': '1' },
  reason: 'password-checks-busy',
};

class BasicAuthFilter implements Filter {
  readonly name = 'basicAuth';
  readonly #config: BasicAuthConfig;
  readonly #verifier: Verifier;
  readonly #challenge: FilterAnswer;

  constructor(config: BasicAuthConfig) {
    this.#config = config;
    this.#verifier = new Verifier(config.users);
    this.#challenge = {
      status: 401,
      headers: { 'www-authenticate': `Basic realm="${config.realm}", charset="UTF-8"` },
      reason: 'unauthorized',
    };
  }

  onRequest(request: FilterRequest): FilterAnswer | undefined | Promise<FilterAnswer | undefined> {
    const { forwardCredentials, userHeader } = this.#config;
    const credentials = credentialsOf(request.header('authorization'));
    if (!forwardCredentials) request.headers.remove('authorization');
    if (userHeader !== undefined) request.headers.remove(userHeader);
    if (credentials === undefined) return this.#challenge;
    const { name, password } = credentials;
    const verdict = this.#verifier.verify(name, password);
    return typeof verdict === 'string'
      ? this.#answer(verdict, name, request)
      : verdict.then((found) => this.#answer(found, name, request));
  }

  #answer(verdict: Verdict, name: string, request: FilterRequest): FilterAnswer | undefined {
    switch (verdict) {
      case 'right': {
        const { userHeader } = this.#config;
        if (userHeader !== undefined) request.headers.set(userHeader, nameText(name));
        return undefined;
      }
      case 'wrong':
        return this.#challenge;
      case 'busy':
        return BUSY;
    }
  }
}

/** Longer ones are not worth hashing: name and password of 1 KiB. */
const MAX_CHARACTERS = 2_048;
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i;

/** @returns undefined for what is not there or not well-formed (RFC 7617 section 2) */
export function credentialsOf(
  field: string | undefined,
): { readonly name: string; readonly password: string } | undefined {
  if (field === undefined || field.length > MAX_CHARACTERS) return undefined;
  const encoded = BASIC.exec(field)?.[1];
  if (encoded === undefined) return undefined;
  const text = utf8(Buffer.from(encoded, 'base64'));
  const colon = text?.indexOf(':') ?? -1;
  if (text === undefined || colon < 1 || /[\x00-\x1f\x7f]/.test(text)) return undefined;
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function utf8(bytes: Buffer): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
