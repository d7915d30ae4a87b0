/** A request as filters see it: what the client sent, with what filters before have changed. */
import { cookieValue } from '@evenkeel/core';
import type { ClientCertificate, FilterRequest, HeaderEdits } from '../../filter/filter.ts';
import { type ClientIdentity, clientAddressOf } from '../client-identity.ts';
import type { RequestView } from '../request-view.ts';
import { FieldEdits } from './field-edits.ts';

/** Path and query of visible ASCII. */
const TARGET = /^\/[!-"$-~]*$/;

export interface RequestFacts {
  readonly view: RequestView;
  readonly identity: ClientIdentity;
  /** Name of the route. */
  readonly route: string;
  readonly id: string;
  readonly bodyBytes: number | undefined;
}

export class FilteredRequest implements FilterRequest {
  readonly minor: 0 | 1;
  readonly scheme: 'http' | 'https';
  readonly route: string;
  readonly id: string;
  readonly bodyBytes: number | undefined;
  /** Path and query instead of those of the request. */
  target: string | undefined = undefined;

  /** Shows the request at hand at first, and a copy of it when it has to stay. */
  view: RequestView;
  readonly #identity: ClientIdentity;
  #edits: FieldEdits | undefined = undefined;
  #responseEdits: FieldEdits | undefined = undefined;
  #abort: AbortController | undefined = undefined;
  #isOver = false;

  constructor({ view, identity, route, id, bodyBytes }: RequestFacts) {
    this.view = view;
    this.#identity = identity;
    this.minor = view.minor;
    this.scheme = identity.scheme;
    this.route = route;
    this.id = id;
    this.bodyBytes = bodyBytes;
  }

  get method(): string {
    return this.view.method;
  }

  get host(): string {
    return this.#edits?.read('host', this.view.host) ?? this.view.host;
  }

  get path(): string {
    return this.target === undefined ? this.view.path : (this.target.split('?', 1)[0] as string);
  }

  get search(): string {
    const { target } = this;
    if (target === undefined) return this.view.search;
    const query = target.indexOf('?');
    return query < 0 ? '' : target.slice(query);
  }

  get sourceAddress(): string | undefined {
    return this.view.sourceAddress;
  }

  get clientAddress(): string {
    return clientAddressOf(this.#identity, this.view.header('x-forwarded-for'));
  }

  get certificate(): ClientCertificate | undefined {
    return this.#identity.certificate?.();
  }

  get headers(): HeaderEdits {
    return (this.#edits ??= new FieldEdits('request'));
  }

  get responseHeaders(): FieldEdits {
    return (this.#responseEdits ??= new FieldEdits('response'));
  }

  /** Undefined while nothing is changed. */
  get edits(): FieldEdits | undefined {
    return this.#edits?.isEmpty === false ? this.#edits : undefined;
  }

  /** The same for the response. */
  get responseEdits(): FieldEdits | undefined {
    return this.#responseEdits?.isEmpty === false ? this.#responseEdits : undefined;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#isOver) this.#abort.abort();
    return this.#abort.signal;
  }

  header(name: string): string | undefined {
    const key = name.toLowerCase();
    const original = this.view.header(key);
    return this.#edits === undefined ? original : this.#edits.read(key, original);
  }

  cookie(name: string): string | undefined {
    return this.#edits === undefined
      ? this.view.cookie(name)
      : cookieValue(this.header('cookie'), name);
  }

  query(name: string): string | undefined {
    return this.target === undefined
      ? this.view.query(name)
      : (new URLSearchParams(this.search).get(name) ?? undefined);
  }

  setTarget(pathAndQuery: string): void {
    if (!TARGET.test(pathAndQuery))
      throw new TypeError(`not a path with a query: ${JSON.stringify(pathAndQuery)}`);
    this.target = pathAndQuery;
  }

  /** Nobody waits for the answer any more. */
  abort(): void {
    this.#isOver = true;
    this.#abort?.abort();
  }
}
