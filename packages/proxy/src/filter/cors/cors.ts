/**
 * `cors`: the CORS protocol of the Fetch standard (section 3.3). This filter has the last word: what an endpoint says in
 * these fields is dropped. A request of an origin that is not allowed is passed on, and its answer says nothing of CORS:
 * browsers then keep it from the page. That is all CORS does; it does not protect against requests being made.
 */
import type { z } from 'zod';
import type {
  Filter,
  FilterAnswer,
  FilterRequest,
  FilterResponse,
  HeaderEdits,
} from '../filter.ts';
import type { FilterKind } from '../filter-kind.ts';
import { Origins } from './origins.ts';
import { type CorsConfig, type CorsOptions, corsSchema } from './schema.ts';

export const corsKind: FilterKind<z.ZodType<CorsConfig, CorsOptions>> = {
  name: 'cors',
  about: 'Which pages of other origins may read answers.',
  schema: corsSchema,
  create: (config) => new CorsFilter(config),
};

const RESPONSE_FIELDS = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
] as const;

const PREFLIGHT_FIELDS = [
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-allow-private-network',
  'access-control-max-age',
] as const;

/** What an answer to a preflight request depends on, all of it. */
const PREFLIGHT_VARY =
  'Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network';

class CorsFilter implements Filter {
  readonly name = 'cors';
  readonly #config: CorsConfig;
  readonly #origins: Origins;
  readonly #methods: ReadonlySet<string>;
  readonly #requestHeaders: ReadonlySet<string>;
  readonly #exposed: string;

  constructor(config: CorsConfig) {
    this.#config = config;
    this.#origins = new Origins(config.origins);
    this.#methods = new Set([...config.methods, ...SAFELISTED_METHODS]);
    this.#requestHeaders = new Set(config.requestHeaders);
    this.#exposed = config.exposeHeaders.join(', ');
  }

  onRequest(request: FilterRequest): FilterAnswer | undefined {
    if (this.#config.preflight === 'forward' || !isPreflight(request)) return undefined;
    // The fields are added by onResponse, as to every answer of the proxy's own.
    return { status: 204, reason: 'preflight' };
  }

  onResponse({ headers }: FilterResponse, request: FilterRequest): void {
    for (const name of RESPONSE_FIELDS) headers.remove(name);
    const preflight = isPreflight(request);
    if (preflight) {
      for (const name of PREFLIGHT_FIELDS) headers.remove(name);
      headers.append('vary', PREFLIGHT_VARY);
    } else if (!this.#origins.isAny) {
      // Also where no origin was sent: a cache must not give that answer to a page.
      headers.append('vary', 'Origin');
    }
    const origin = request.header('origin');
    if (origin === undefined || !this.#origins.allow(origin)) return;
    if (preflight && !this.#permit(request, headers)) return;
    headers.set('access-control-allow-origin', this.#origins.isAny ? '*' : origin);
    if (this.#config.credentials) headers.set('access-control-allow-credentials', 'true');
    if (!preflight && this.#exposed !== '') {
      headers.set('access-control-expose-headers', this.#exposed);
    }
  }

  /** @returns false for what must not be done: the answer says nothing at all then */
  #permit(request: FilterRequest, headers: HeaderEdits): boolean {
    const method = request.header('access-control-request-method') ?? '';
    const wanted = namesOf(request.header('access-control-request-headers'));
    if (!this.#methods.has('*') && !this.#methods.has(method)) return false;
    const takesAll = this.#requestHeaders.has('*');
    if (!takesAll && !wanted.every((name) => this.#isPermitted(name))) return false;
    const isPrivate = request.header('access-control-request-private-network') === 'true';
    if (isPrivate && !this.#config.privateNetwork) return false;
    // Only what was asked for: the answer stays small, and `*`, which credentials forbid, is never needed.
    headers.set('access-control-allow-methods', method);
    if (wanted.length > 0) headers.set('access-control-allow-headers', wanted.join(', '));
    if (isPrivate) headers.set('access-control-allow-private-network', 'true');
    headers.set('access-control-max-age', String(this.#config.maxAgeSeconds));
    return true;
  }

  #isPermitted(name: string): boolean {
    return this.#requestHeaders.has(name) || SAFELISTED_HEADERS.has(name);
  }
}

const SAFELISTED_METHODS = ['GET', 'HEAD', 'POST'] as const;

/** Fetch standard, section 2.2.2: browsers ask for these only when their values are unusual. */
const SAFELISTED_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'content-language',
]);

/** Fetch standard, section 3.3.2. */
function isPreflight(request: FilterRequest): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.header('access-control-request-method') !== undefined &&
    request.header('origin') !== undefined
  );
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** In lower case; what is no name stays and is not permitted, unless everything is: then it is dropped. */
function namesOf(list: string | undefined): string[] {
  if (list === undefined) return [];
  return list
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => NAME.test(name));
}
