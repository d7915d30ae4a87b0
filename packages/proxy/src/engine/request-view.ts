/**
 * A request head as routes, affinity and logs see it: parts as text, each made when it is first asked for. One instance
 * serves all connections of a listener, like the head that it shows.
 */
import { cookieValue } from '@evenkeel/core';
import type { ClientCertificate } from '../filter/filter.ts';
import { Field } from '../http1/known-field.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { TargetForm } from '../http1/request-target.ts';
import { type ClientIdentity, clientAddressOf } from './client-identity.ts';
import type { RouteRequest } from './route.ts';

const NO_BYTES = Buffer.alloc(0);

export class RequestView implements RouteRequest {
  readonly #head: RequestHead;
  #bytes: Buffer = NO_BYTES;
  #identity: ClientIdentity | undefined = undefined;
  #method: string | undefined = undefined;
  #host: string | undefined = undefined;
  #path: string | undefined = undefined;
  #params: URLSearchParams | undefined = undefined;

  constructor(head: RequestHead) {
    this.#head = head;
  }

  /** Another request is in the head now. */
  show(bytes: Buffer, identity: ClientIdentity): this {
    this.#bytes = bytes;
    this.#identity = identity;
    this.#method = this.#host = this.#path = this.#params = undefined;
    return this;
  }

  get protocol(): string {
    return this.#identity?.protocol ?? `HTTP/1.${this.#head.minor}`;
  }

  get minor(): 0 | 1 {
    return this.#head.minor;
  }

  get method(): string {
    const { from, methodTo } = this.#head;
    return (this.#method ??= this.#text(from, methodTo));
  }

  /** The authority of an absolute target, else the host field. */
  get host(): string {
    return (this.#host ??= this.#readHost());
  }

  /** Without the query; a target without a path means `/`, and so does `*`. */
  get path(): string {
    return (this.#path ??= this.#readPath());
  }

  get search(): string {
    const { queryFrom, pathTo } = this.#head.target;
    return queryFrom === pathTo ? '' : this.#text(queryFrom, pathTo);
  }

  get certificate(): ClientCertificate | undefined {
    return this.#identity?.certificate?.();
  }

  /** That which trusted proxies name, else that of the peer. */
  get sourceAddress(): string | undefined {
    const identity = this.#identity;
    if (identity === undefined) return undefined;
    return identity.isTrusted
      ? clientAddressOf(identity, this.header('x-forwarded-for'))
      : identity.address;
  }

  /** Values of several lines joined with a comma, those of `cookie` with a semicolon (RFC 6265 section 5.4). */
  header(name: string): string | undefined {
    const { fields } = this.#head;
    let value: string | undefined = undefined;
    for (let line = 0; line < fields.count; line++) {
      if (!spellsName(this.#bytes, fields.nameFrom(line), fields.nameTo(line), name)) continue;
      const text = this.#text(fields.valueFrom(line), fields.valueTo(line));
      value = value === undefined ? text : `${value}${name === 'cookie' ? '; ' : ', '}${text}`;
    }
    return value;
  }

  cookie(name: string): string | undefined {
    return this.#head.fields.countOf(Field.cookie) === 0
      ? undefined
      : cookieValue(this.header('cookie'), name);
  }

  query(name: string): string | undefined {
    const { queryFrom, pathTo } = this.#head.target;
    if (queryFrom === pathTo) return undefined;
    return (this.#params ??= new URLSearchParams(this.search)).get(name) ?? undefined;
  }

  #readHost(): string {
    const { target, fields } = this.#head;
    if (target.form === TargetForm.absolute)
      return this.#text(target.authorityFrom, target.authorityTo);
    return fields.text(this.#bytes, Field.host) ?? '';
  }

  #readPath(): string {
    const { form, pathFrom, queryFrom } = this.#head.target;
    // Whoever answers for all paths answers for the server as a whole.
    if (form === TargetForm.asterisk || pathFrom === queryFrom) return '/';
    return this.#text(pathFrom, queryFrom);
  }

  #text(from: number, to: number): string {
    return this.#bytes.toString('latin1', from, to);
  }
}

/** Do the bytes spell the name, which is in lower case, in whatever case? */
// oxlint-disable-next-line max-params -- per field line: an object would be allocated
function spellsName(bytes: Uint8Array, from: number, to: number, name: string): boolean {
  const { length } = name;
  if (to - from !== length) return false;
  for (let at = 0; at < length; at++) {
    const byte = bytes[from + at] as number;
    const wanted = name.charCodeAt(at);
    if (byte !== wanted && (byte + 0x20 !== wanted || byte < 0x41 || byte > 0x5a)) return false;
  }
  return true;
}
