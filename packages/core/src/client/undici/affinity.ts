/** An undici request as the search for its affinity key sees it. */
import { stringify } from 'node:querystring';
import type { Dispatcher } from 'undici';
import { hashKeyOf as keyOf } from '../../affinity/hash-key.ts';
import { cookieValue, pathOf, queryValue } from '../../affinity/request-parts.ts';
import type { HashKeyRequest, HashKeySource } from '../../model/hash-key-source.ts';
import { requestHeader } from './request-headers.ts';

/** The key, or undefined when the request does not carry one: then the policy picks as it likes. */
export function hashKeyOf(
  source: HashKeySource,
  options: Dispatcher.DispatchOptions,
): string | undefined {
  return keyOf(source, new DispatchedRequest(options));
}

class DispatchedRequest implements HashKeyRequest {
  /** Requests are made here, not received. */
  readonly sourceAddress = undefined;
  readonly #options: Dispatcher.DispatchOptions;

  constructor(options: Dispatcher.DispatchOptions) {
    this.#options = options;
  }

  get path(): string {
    return pathOf(this.#options.path);
  }

  header(name: string): string | undefined {
    return requestHeader(this.#options.headers, name);
  }

  cookie(name: string): string | undefined {
    return cookieValue(requestHeader(this.#options.headers, 'cookie', '; '), name);
  }

  /** From undici's `query` option, or from the path. */
  query(name: string): string | undefined {
    const { path, query } = this.#options;
    if (query === undefined || query === null || !Object.hasOwn(query, name))
      return queryValue(path, name);
    // As undici writes it into the URL.
    return new URLSearchParams(stringify({ [name]: query[name] as string })).get(name) ?? undefined;
  }
}
