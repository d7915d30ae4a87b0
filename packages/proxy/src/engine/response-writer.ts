/** The head of a response as it goes to a client: the endpoint's lines without those of this hop, framed anew. */
import { ascii } from '../http1/byte-class.ts';
import { isNominated } from '../http1/field-semantics.ts';
import { Field, HOP_BY_HOP } from '../http1/known-field.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { Output } from '../socket/output.ts';
import { copyPassing, dropNamed, passes } from './field-lines.ts';
import type { FieldEdits } from './filters/field-edits.ts';

const VERSION = ascii('HTTP/1.1 ');
const SPACE = ascii(' ');
const CRLF = ascii('\r\n');
const CONTENT_LENGTH = ascii('content-length: ');
const CHUNKED = ascii('transfer-encoding: chunked\r\n');
const CLOSE = ascii('connection: close\r\n');
const KEEP_ALIVE = ascii('connection: keep-alive\r\n');
const UPGRADE = ascii('connection: upgrade\r\nupgrade: ');

export interface OutgoingResponse {
  /** How the body is delimited; `length` also for a HEAD that says how long the body would be. */
  readonly framing: 'none' | 'length' | 'chunked';
  readonly connection: 'none' | 'close' | 'keep-alive';
  /** A whole `date` line, for responses that have none (RFC 9110 section 6.6.1). */
  readonly dateLine: Uint8Array;
  /** A whole `x-request-id` line in place of the endpoint's, or empty for what that said. */
  readonly idLine: Uint8Array;
  /** Whole lines about this hop, or none. */
  readonly hopLines: Uint8Array;
  /** Header of the response that {@link hopLines} has, and the endpoint's not; undefined for none. */
  readonly traceHeader: string | undefined;
  /** Of filters. */
  readonly edits: FieldEdits | undefined;
}

// oxlint-disable-next-line max-params -- per message: an object would be allocated
export function writeResponseHead(
  output: Output,
  head: ResponseHead,
  bytes: Buffer,
  response: OutgoingResponse,
): void {
  writeStart(output, head, bytes);
  markPassing(head, bytes);
  const { idLine, edits } = response;
  if (idLine.length > 0 && head.fields.countOf(Field.requestId) > 0) dropIds(head);
  const { traceHeader } = response;
  if (traceHeader !== undefined) dropNamed(head.fields, bytes, traceHeader);
  edits?.drop(passes, bytes, head.fields);
  copyPassing(output, bytes, head.fields);
  edits?.write(output);
  if (edits?.replaces('x-request-id') !== true) output.put(idLine);
  output.put(response.hopLines);
  if (head.fields.countOf(Field.date) === 0 && edits?.replaces('date') !== true)
    output.put(response.dateLine);
  if (response.framing === 'chunked') output.put(CHUNKED);
  else if (response.framing === 'length')
    output.put(CONTENT_LENGTH).decimal(head.semantics.contentLength).put(CRLF);
  if (response.connection === 'close') output.put(CLOSE);
  else if (response.connection === 'keep-alive') output.put(KEEP_ALIVE);
  output.put(CRLF);
}

/** An informational response other than 101: no body, and nothing about the connection. */
export function writeInformational(output: Output, head: ResponseHead, bytes: Buffer): void {
  writeStart(output, head, bytes);
  markPassing(head, bytes);
  copyPassing(output, bytes, head.fields);
  output.put(CRLF);
}

/** 101: the protocol that the endpoint chose. */
export function writeSwitching(output: Output, head: ResponseHead, bytes: Buffer): void {
  writeStart(output, head, bytes);
  markPassing(head, bytes);
  copyPassing(output, bytes, head.fields);
  const { fields } = head;
  const line = fields.lineOf(Field.upgrade);
  output.put(UPGRADE).copy(bytes, fields.valueFrom(line), fields.valueTo(line)).put(CRLF);
  output.put(CRLF);
}

function writeStart(output: Output, head: ResponseHead, bytes: Buffer): void {
  output
    .put(VERSION)
    .decimal(head.status)
    .put(SPACE)
    .copy(bytes, head.reasonFrom, head.reasonTo)
    .put(CRLF);
}

function markPassing(head: ResponseHead, bytes: Buffer): void {
  const { fields, semantics } = head;
  const hasNominated = semantics.nominatedCount > 0;
  for (let line = 0; line < fields.count; line++) {
    const kind = fields.kind(line);
    let pass = HOP_BY_HOP[kind] === 1 || kind === Field.contentLength ? 0 : 1;
    if (pass === 1 && hasNominated && isNominated(semantics, bytes, fields, line)) pass = 0;
    passes[line] = pass;
  }
}

/** The id of the request is what this proxy gave it. */
function dropIds({ fields }: ResponseHead): void {
  for (let line = 0; line < fields.count; line++)
    if (fields.kind(line) === Field.requestId) passes[line] = 0;
}
