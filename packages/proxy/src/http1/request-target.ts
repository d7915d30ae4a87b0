/** The four forms of a request target, RFC 9112 section 3.2. */
import { ascii, COLON, SLASH, spells } from './byte-class.ts';
import { isAuthority } from './authority.ts';
import { COMPLETE, Bad } from './verdict.ts';

export const TargetForm = {
  /** `/path?query`, section 3.2.1. */
  origin: 0,
  /** `http://host/path`, section 3.2.2: to be sent on in origin form, with its authority as `host`. */
  absolute: 1,
  /** `host:port`, section 3.2.3: CONNECT only. */
  authority: 2,
  /** `*`, section 3.2.4: OPTIONS only. */
  asterisk: 3,
} as const;

export type TargetForm = (typeof TargetForm)[keyof typeof TargetForm];

const CONNECT = ascii('connect');
const OPTIONS = ascii('options');
const HTTP = ascii('http');
const HTTPS = ascii('https');
const ASTERISK = 0x2a;
const QUERY = 0x3f;

export class RequestTarget {
  form: TargetForm = TargetForm.origin;
  /** Path and query. In absolute form the path may be missing: then `from === to`, and `/` is meant. */
  pathFrom = 0;
  pathTo = 0;
  /** Where the query's `?` is, or {@link pathTo}. */
  queryFrom = 0;
  /** Host and port of absolute and authority form; empty in the others. */
  authorityFrom = 0;
  authorityTo = 0;

  /** The bytes between the two spaces of a request line; each of them is known to be visible ASCII. */
  // oxlint-disable-next-line max-params -- per request: an object would be allocated
  judge(bytes: Uint8Array, methodFrom: number, from: number, to: number): number {
    const methodTo = from - 1;
    this.authorityFrom = this.authorityTo = from;
    this.pathFrom = from;
    this.pathTo = to;
    const isConnect = isMethod(bytes, methodFrom, methodTo, CONNECT);
    if (!isConnect && bytes[from] === SLASH) this.form = TargetForm.origin;
    else {
      const verdict = isConnect
        ? this.#authorityForm(bytes, from, to)
        : this.#otherForm(bytes, methodFrom, from, to);
      if (verdict !== COMPLETE) return verdict;
    }
    let at = this.pathFrom;
    while (at < this.pathTo && bytes[at] !== QUERY) at++;
    this.queryFrom = at;
    return COMPLETE;
  }

  /** CONNECT wants the port written out. */
  #authorityForm(bytes: Uint8Array, from: number, to: number): number {
    if (!isAuthority(bytes, from, to)) return Bad.target;
    let digits = 0;
    while (to - digits > from && isDigit(bytes[to - 1 - digits] as number)) digits++;
    if (digits === 0 || bytes[to - 1 - digits] !== COLON) return Bad.target;
    this.form = TargetForm.authority;
    this.authorityTo = to;
    this.pathFrom = this.pathTo = to;
    return COMPLETE;
  }

  // oxlint-disable-next-line max-params -- per request: an object would be allocated
  #otherForm(bytes: Uint8Array, methodFrom: number, from: number, to: number): number {
    if (to - from === 1 && bytes[from] === ASTERISK) {
      this.form = TargetForm.asterisk;
      return isMethod(bytes, methodFrom, from - 1, OPTIONS) ? COMPLETE : Bad.target;
    }
    let at = from;
    while (at < to && bytes[at] !== COLON) at++;
    const isWeb = spells(bytes, from, at, HTTP) || spells(bytes, from, at, HTTPS);
    if (!isWeb || bytes[at + 1] !== SLASH || bytes[at + 2] !== SLASH || at + 3 >= to)
      return Bad.target;
    const authorityFrom = at + 3;
    at = authorityFrom;
    while (at < to && bytes[at] !== SLASH && bytes[at] !== QUERY) at++;
    if (!isAuthority(bytes, authorityFrom, at)) return Bad.target;
    this.form = TargetForm.absolute;
    this.authorityFrom = authorityFrom;
    this.authorityTo = at;
    this.pathFrom = at;
    return COMPLETE;
  }
}

/** Methods are told apart by case (RFC 9110 section 9.1): `connect` is none that anyone knows. */
// oxlint-disable-next-line max-params -- per request: an object would be allocated
export function isMethod(bytes: Uint8Array, from: number, to: number, lower: Uint8Array): boolean {
  if (to - from !== lower.length) return false;
  for (let at = 0; at < lower.length; at++)
    if (bytes[from + at] !== (lower[at] as number) - 0x20) return false;
  return true;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
