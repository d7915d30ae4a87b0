/** The head of a response, read in place; see `request-head.ts`. */
import { CR, FIELD_VALUE, LF, SP } from './byte-class.ts';
import { FieldIndex } from './field-index.ts';
import { FieldSemantics } from './field-semantics.ts';
import { DEFAULT_HEAD_LIMITS, type HeadLimits } from './head-limits.ts';
import { Bad, COMPLETE, INCOMPLETE } from './verdict.ts';
import { readVersion, VERSION_BYTES } from './version.ts';

export class ResponseHead {
  readonly limits: HeadLimits;
  readonly fields: FieldIndex;
  readonly semantics: FieldSemantics = new FieldSemantics();
  minor: 0 | 1 = 1;
  /** 100..999. */
  status = 0;
  reasonFrom = 0;
  reasonTo = 0;

  constructor(limits: HeadLimits = DEFAULT_HEAD_LIMITS) {
    this.limits = limits;
    this.fields = new FieldIndex(limits.maxFields);
  }

  /** After the empty line, once the head is complete. */
  get end(): number {
    return this.fields.end;
  }

  /** As {@link RequestHead.read}. */
  read(bytes: Uint8Array, from: number, to: number): number {
    const verdict = this.#read(bytes, from, to);
    const { maxHeadBytes } = this.limits;
    if (verdict === INCOMPLETE) return to - from >= maxHeadBytes ? Bad.headTooLarge : INCOMPLETE;
    if (verdict === COMPLETE && this.end - from > maxHeadBytes) return Bad.headTooLarge;
    return verdict;
  }

  /** Does the server keep the connection after this response? RFC 9112 section 9.3. */
  get keepsConnection(): boolean {
    const { close, keepAlive } = this.semantics;
    return !close && (this.minor === 1 || keepAlive);
  }

  /** Informational, 204 and 304 have no body, whatever their fields say (RFC 9112 section 6.3). */
  get isBodiless(): boolean {
    const { status } = this;
    return status < 200 || status === 204 || status === 304;
  }

  #read(bytes: Uint8Array, from: number, to: number): number {
    const line = this.#readLine(bytes, from, to);
    if (line !== COMPLETE) return line;
    const { fields } = this;
    const verdict = fields.read(bytes, fields.end, to);
    return verdict === COMPLETE ? this.semantics.judge(bytes, fields, this.minor) : verdict;
  }

  /** `HTTP-version SP 3DIGIT SP [reason] CRLF`, section 4. The space before a missing reason may be missing, too. */
  #readLine(bytes: Uint8Array, from: number, to: number): number {
    const version = readVersion(bytes, from, to);
    if (version < 0) return -version;
    if (version === 0) return INCOMPLETE;
    this.minor = version - 10 >= 1 ? 1 : 0;
    let at = from + VERSION_BYTES;
    if (at === to) return INCOMPLETE;
    if (bytes[at++] !== SP) return Bad.statusLine;
    let status = 0;
    for (let digits = 0; digits < 3; digits++, at++) {
      if (at === to) return INCOMPLETE;
      const digit = (bytes[at] as number) - 0x30;
      if (digit < 0 || digit > 9) return Bad.statusLine;
      status = status * 10 + digit;
    }
    if (status < 100) return Bad.statusLine;
    this.status = status;
    if (at === to) return INCOMPLETE;
    if (bytes[at] === SP) at++;
    else if (bytes[at] !== CR) return bytes[at] === LF ? Bad.lineEnd : Bad.statusLine;
    this.reasonFrom = at;
    while (at < to && FIELD_VALUE[bytes[at] as number] === 1) at++;
    this.reasonTo = at;
    if (at === to) return INCOMPLETE;
    if (bytes[at] !== CR) return bytes[at] === LF ? Bad.lineEnd : Bad.statusLine;
    if (at + 1 === to) return INCOMPLETE;
    if (bytes[at + 1] !== LF) return Bad.lineEnd;
    this.fields.end = at + 2;
    return COMPLETE;
  }
}
