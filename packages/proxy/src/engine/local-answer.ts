/** An answer that a proxy gives itself. Made once: a flood of bad requests must not cost more than good ones. */
import { STATUS_CODES } from 'node:http';
import type { Output } from '../socket/output.ts';
import type { FieldEdits } from './filters/field-edits.ts';

const CLOSE = 'connection: close\r\n';

/** Statuses whose responses have no body and do not say how long one would be (RFC 9110 sections 8.6 and 15). */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

export interface LocalHead {
  /** A whole `x-request-id` line, or empty. */
  readonly idLine: Uint8Array;
  /** Whole lines about this hop, or none. */
  readonly hopLines: Uint8Array;
  readonly closes: boolean;
  readonly edits: FieldEdits | undefined;
  /** As in `OutgoingResponse`; `length` is that of the body as it is here. */
  readonly framing: 'length' | 'chunked' | 'none';
}

export class LocalAnswer {
  readonly status: number;
  /** Without one where the status allows none. */
  readonly body: Buffer;
  readonly #start: string;
  /** Whole lines, without those that depend on the connection. */
  readonly #fields: string;
  /** By {@link variantOf}. */
  readonly #variants: (Buffer | undefined)[] = [];

  /** @param fields whole lines, those of framing and connection left out; of one byte per character */
  constructor(status: number, fields: string, body: Buffer) {
    this.status = status;
    this.#start = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`;
    this.#fields = fields;
    this.body = BODILESS.has(status) ? Buffer.alloc(0) : body;
  }

  /** @param closes does the connection end with it? @param isHead then it has no body */
  bytes(closes: boolean, isHead: boolean): Buffer {
    const variant = variantOf(closes, isHead);
    return (this.#variants[variant] ??= this.#write(closes, isHead, ''));
  }

  /** The same with further field lines, CR LF included: made anew each time. */
  bytesWith(lines: Uint8Array, closes: boolean, isHead: boolean): Buffer {
    return lines.length === 0
      ? this.bytes(closes, isHead)
      : this.#write(closes, isHead, Buffer.from(lines).toString('latin1'));
  }

  /** The value of a field. @param name in lower case */
  header(name: string): string | undefined {
    const values = this.#lines()
      .filter((line) => nameOf(line) === name)
      .map((line) => line.slice(line.indexOf(':') + 1).trim());
    return values.length === 0 ? undefined : values.join(', ');
  }

  /** The head alone, as filters want it. */
  writeHead(output: Output, { idLine, hopLines, closes, edits, framing }: LocalHead): void {
    output.text(this.#start);
    for (const line of this.#lines())
      if (edits?.replaces(nameOf(line)) !== true) output.text(`${line}\r\n`);
    edits?.write(output);
    if (edits?.replaces('x-request-id') !== true) output.put(idLine);
    output.put(hopLines);
    if (framing === 'chunked') output.text('transfer-encoding: chunked\r\n');
    else if (framing === 'length') output.text(this.#length());
    output.text(closes ? `${CLOSE}\r\n` : '\r\n');
  }

  #lines(): string[] {
    return this.#fields.split('\r\n').filter((line) => line !== '');
  }

  #length(): string {
    return BODILESS.has(this.status) ? '' : `content-length: ${this.body.length}\r\n`;
  }

  #write(closes: boolean, isHead: boolean, line: string): Buffer {
    const text = `${this.#start}${this.#fields}${this.#length()}${line}${closes ? CLOSE : ''}\r\n`;
    const head = Buffer.from(text, 'latin1');
    return isHead || this.body.length === 0 ? head : Buffer.concat([head, this.body]);
  }
}

const byStatus = new Map<number, LocalAnswer>();

/** The plain answer for a status: its name as text. */
export function plainAnswer(status: number): LocalAnswer {
  const known = byStatus.get(status);
  if (known !== undefined) return known;
  const body = Buffer.from(`${status} ${STATUS_CODES[status] ?? 'Unknown'}\n`);
  // RFC 9110 section 15.5.6 wants it said; what an endpoint allows, only that knows.
  const allow = status === 405 ? 'allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n' : '';
  const made = new LocalAnswer(status, `content-type: text/plain\r\n${allow}`, body);
  byStatus.set(status, made);
  return made;
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(':')).toLowerCase();
}

function variantOf(closes: boolean, isHead: boolean): number {
  return (closes ? 1 : 0) + (isHead ? 2 : 0);
}
