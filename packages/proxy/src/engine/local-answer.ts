/** An answer that a proxy gives itself. Made once: a flood of bad requests must not cost more than good ones. */
import { STATUS_CODES } from 'node:http';

const CLOSE = 'connection: close\r\n';

/** Statuses whose responses have no body and do not say how long one would be (RFC 9110 sections 8.6 and 15). */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

export class LocalAnswer {
  readonly status: number;
  /** Start line and fields, without those that depend on the connection. */
  readonly #head: string;
  readonly #body: Buffer;
  /** By {@link variantOf}. */
  readonly #variants: (Buffer | undefined)[] = [];

  /** @param fields whole lines, those of framing and connection left out; of one byte per character */
  constructor(status: number, fields: string, body: Buffer) {
    this.status = status;
    const text = STATUS_CODES[status] ?? 'Unknown';
    const length = BODILESS.has(status) ? '' : `content-length: ${body.length}\r\n`;
    this.#head = `HTTP/1.1 ${status} ${text}\r\n${fields}${length}`;
    this.#body = BODILESS.has(status) ? Buffer.alloc(0) : body;
  }

  /** @param closes does the connection end with it? @param isHead then it has no body */
  bytes(closes: boolean, isHead: boolean): Buffer {
    const variant = variantOf(closes, isHead);
    return (this.#variants[variant] ??= this.#write(closes, isHead, ''));
  }

  /** The same with another field line, CR LF included: made anew each time. */
  bytesWith(line: Uint8Array, closes: boolean, isHead: boolean): Buffer {
    return line.length === 0
      ? this.bytes(closes, isHead)
      : this.#write(closes, isHead, Buffer.from(line).toString('latin1'));
  }

  #write(closes: boolean, isHead: boolean, line: string): Buffer {
    const head = Buffer.from(`${this.#head}${line}${closes ? CLOSE : ''}\r\n`, 'latin1');
    return isHead || this.#body.length === 0 ? head : Buffer.concat([head, this.#body]);
  }
}

const byStatus = new Map<number, LocalAnswer>();

/** The plain answer for a status: its name as text. */
export function plainAnswer(status: number): LocalAnswer {
  const known = byStatus.get(status);
  if (known !== undefined) return known;
  const body = Buffer.from(`${status} ${STATUS_CODES[status] ?? 'Unknown'}\n`);
  const made = new LocalAnswer(status, 'content-type: text/plain\r\n', body);
  byStatus.set(status, made);
  return made;
}

function variantOf(closes: boolean, isHead: boolean): number {
  return (closes ? 1 : 0) + (isHead ? 2 : 0);
}
