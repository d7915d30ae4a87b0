/**
 * The head of a request, read in place. One instance serves all connections of a thread: reading is synchronous, and
 * what it found holds until the next read.
 */
import { ascii, CR, LF, SP, TARGET, TOKEN } from './byte-class.ts';
import { isAuthority } from './authority.ts';
import { FieldIndex } from './field-index.ts';
import { FieldSemantics } from './field-semantics.ts';
import { DEFAULT_HEAD_LIMITS, type HeadLimits } from './head-limits.ts';
import { Field } from './known-field.ts';
import { isMethod, RequestTarget, TargetForm } from './request-target.ts';
import { Bad, COMPLETE, INCOMPLETE } from './verdict.ts';
import { readVersion, VERSION_BYTES } from './version.ts';

/** Longer than any method that is registered. */
const MAX_METHOD_BYTES = 32;

/** Empty lines before a request, which a server should pass over (RFC 9112 section 2.2). */
const MAX_EMPTY_LINES = 2;

const HEAD = ascii('head');
const OPTIONS = ascii('options');
const TRACE = ascii('trace');

/** Nothing comes that far. */
const MOST_FORWARDS = 1_000_000;

export class RequestHead {
  readonly limits: HeadLimits;
  readonly fields: FieldIndex;
  readonly semantics: FieldSemantics = new FieldSemantics();
  readonly target: RequestTarget = new RequestTarget();
  /** Where the method begins: empty lines before it are passed over. */
  from = 0;
  methodTo = 0;
  targetFrom = 0;
  targetTo = 0;
  /** 0 or 1: `HTTP/1.2` and above are spoken to as 1.1 (RFC 9110 section 2.5). */
  minor: 0 | 1 = 1;
  /** How many more proxies an OPTIONS or TRACE may pass; -1 for any number, and for all other methods. */
  maxForwards = -1;

  constructor(limits: HeadLimits = DEFAULT_HEAD_LIMITS) {
    this.limits = limits;
    this.fields = new FieldIndex(limits.maxFields);
  }

  /** After the empty line, once the head is complete. */
  get end(): number {
    return this.fields.end;
  }

  /**
   * Judges what is there of a head. Bytes that can no longer become a good one are refused as soon as they are seen,
   * not when the head is complete.
   *
   * @returns `COMPLETE`, `INCOMPLETE` (read again from the same place when there is more), or a problem
   */
  read(bytes: Uint8Array, from: number, to: number): number {
    const verdict = this.#read(bytes, from, to);
    const { maxHeadBytes } = this.limits;
    if (verdict === INCOMPLETE) return to - from >= maxHeadBytes ? Bad.headTooLarge : INCOMPLETE;
    if (verdict === COMPLETE && this.end - this.from > maxHeadBytes) return Bad.headTooLarge;
    return verdict;
  }

  /** Does the client keep the connection after the response? RFC 9112 section 9.3. */
  get keepsConnection(): boolean {
    const { close, keepAlive } = this.semantics;
    return !close && (this.minor === 1 || keepAlive);
  }

  /** Will the response have no body, whatever it says? */
  isHead(bytes: Uint8Array): boolean {
    return isMethod(bytes, this.from, this.methodTo, HEAD);
  }

  #read(bytes: Uint8Array, from: number, to: number): number {
    const start = skipEmptyLines(bytes, from, to);
    if (start < 0) return start === AWAITING ? INCOMPLETE : Bad.lineEnd;
    this.from = start;
    const line = this.#readLine(bytes, start, to);
    if (line <= COMPLETE) return line === COMPLETE ? this.#readFields(bytes, to) : line;
    return line;
  }

  /** `method SP request-target SP HTTP-version CRLF`, section 3: single spaces, nothing more, nothing less. */
  #readLine(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && TOKEN[bytes[at] as number] === 1) at++;
    if (at - from > MAX_METHOD_BYTES) return Bad.methodTooLong;
    if (at === to) return INCOMPLETE;
    if (bytes[at] !== SP || at === from) return Bad.method;
    this.methodTo = at;
    this.targetFrom = ++at;
    while (at < to && TARGET[bytes[at] as number] === 1) at++;
    if (at - this.targetFrom > this.limits.maxTargetBytes) return Bad.targetTooLong;
    if (at === to) return INCOMPLETE;
    if (at === this.targetFrom) return Bad.target;
    if (bytes[at] !== SP) return isLineEnd(bytes[at] as number) ? Bad.requestLine : Bad.target;
    this.targetTo = at++;
    const version = readVersion(bytes, at, to);
    if (version < 0) return -version;
    if (version === UNKNOWN_YET) return INCOMPLETE;
    this.minor = version - 10 >= 1 ? 1 : 0;
    at += VERSION_BYTES;
    if (at === to) return INCOMPLETE;
    if (bytes[at] !== CR) return bytes[at] === LF ? Bad.lineEnd : Bad.requestLine;
    if (at + 1 === to) return INCOMPLETE;
    if (bytes[at + 1] !== LF) return Bad.lineEnd;
    this.fields.end = at + 2;
    return this.target.judge(bytes, from, this.targetFrom, this.targetTo);
  }

  #readFields(bytes: Uint8Array, to: number): number {
    const { fields, semantics, minor } = this;
    const verdict = fields.read(bytes, fields.end, to);
    if (verdict !== COMPLETE) return verdict;
    const framing = semantics.judge(bytes, fields, minor);
    if (framing !== COMPLETE) return framing;
    this.maxForwards = -1;
    if (fields.countOf(Field.maxForwards) > 0 && !this.#readForwards(bytes)) return Bad.maxForwards;
    const host = this.#judgeHost(bytes);
    return host === COMPLETE && minor === 1 && fields.countOf(Field.expect) > 0
      ? semantics.judgeExpectation(bytes, fields)
      : host;
  }

  /** RFC 9110 section 7.6.2: of these two methods only. @returns false when it is not one number */
  #readForwards(bytes: Uint8Array): boolean {
    const { fields, from, methodTo } = this;
    if (!isMethod(bytes, from, methodTo, OPTIONS) && !isMethod(bytes, from, methodTo, TRACE))
      return true;
    const line = fields.lineOf(Field.maxForwards);
    const to = fields.valueTo(line);
    let at = fields.valueFrom(line);
    if (fields.countOf(Field.maxForwards) > 1 || at === to) return false;
    let forwards = 0;
    for (; at < to; at++) {
      const digit = (bytes[at] as number) - 0x30;
      if (digit < 0 || digit > 9) return false;
      forwards = Math.min(MOST_FORWARDS, forwards * 10 + digit);
    }
    this.maxForwards = forwards;
    return true;
  }

  /** Exactly one on 1.1, at most one on 1.0; empty only if the target has no authority either (section 3.2). */
  #judgeHost(bytes: Uint8Array): number {
    const { fields, minor, target } = this;
    const count = fields.countOf(Field.host);
    if (count > 1) return Bad.hostTwice;
    if (count === 0) return minor === 1 ? Bad.hostMissing : COMPLETE;
    const line = fields.lineOf(Field.host);
    const from = fields.valueFrom(line);
    const to = fields.valueTo(line);
    if (from === to) return target.form === TargetForm.origin ? COMPLETE : Bad.host;
    return isAuthority(bytes, from, to) ? COMPLETE : Bad.host;
  }
}

const UNKNOWN_YET = 0;
const AWAITING = -1;
const BROKEN = -2;

/** Where the request begins, or {@link AWAITING}, or {@link BROKEN}. */
function skipEmptyLines(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  for (let lines = 0; ; lines++) {
    if (at >= to) return AWAITING;
    if (bytes[at] === LF) return BROKEN;
    if (bytes[at] !== CR) return at;
    if (lines === MAX_EMPTY_LINES) return BROKEN;
    if (at + 1 >= to) return AWAITING;
    if (bytes[at + 1] !== LF) return BROKEN;
    at += 2;
  }
}

function isLineEnd(byte: number): boolean {
  return byte === CR || byte === LF;
}
