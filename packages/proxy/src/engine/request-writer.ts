/**
 * The head of a request as it goes to an endpoint: the client's lines without those of this hop, addressed and framed
 * anew. RFC 9110 section 7.6, RFC 9112 section 3.2.2.
 */
import { ascii, SLASH } from '../http1/byte-class.ts';
import { isNominated } from '../http1/field-semantics.ts';
import { BodyKind } from '../http1/body-pump.ts';
import { Field, HOP_BY_HOP } from '../http1/known-field.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { isMethod, TargetForm } from '../http1/request-target.ts';
import type { RequestTrace } from '../observability/trace-context/request-tracer.ts';
import type { Output } from '../socket/output.ts';
import type { ClientIdentity } from './client-identity.ts';
import { copyPassing, dropNamed, passes } from './field-lines.ts';
import type { FieldEdits } from './filters/field-edits.ts';
import type { Rewrite } from './route.ts';

const VERSION_LINE = ascii(' HTTP/1.1\r\n');
const HOST = ascii('host: ');
const CRLF = ascii('\r\n');
const CONTENT_LENGTH = ascii('content-length: ');
const MAX_FORWARDS = ascii('max-forwards: ');
const OPTIONS = ascii('options');
const ASTERISK = ascii('*');
const CHUNKED = ascii('transfer-encoding: chunked\r\n');
const UPGRADE = ascii('connection: upgrade\r\nupgrade: ');
const FORWARDED_FOR = ascii('x-forwarded-for: ');
const FORWARDED_HOST = ascii('x-forwarded-host: ');
const COMMA_SP = ascii(', ');
const SLASH_BYTE = Uint8Array.of(SLASH);

export interface OutgoingRequest {
  readonly identity: ClientIdentity;
  readonly bodyKind: BodyKind;
  /** Is the switch of protocols that the client asks for passed on? */
  readonly isUpgrade: boolean;
  /** A whole `via` line, or empty. */
  readonly viaLine: Uint8Array;
  /** A whole `x-request-id` line in place of the client's, or empty for what that said. */
  readonly idLine: Uint8Array;
  readonly rewrite: Rewrite | undefined;
  /** Of filters: what they say goes before all else but framing. */
  readonly edits: FieldEdits | undefined;
  /** Does this proxy see to `expect: 100-continue` itself? */
  readonly answersExpectation: boolean;
  /** Told to the endpoint in place of what the client says; undefined where that passes. */
  readonly trace: RequestTrace | undefined;
  /** Path and query in place of those of the request; nothing is rewritten then. */
  readonly target: string | undefined;
}

// oxlint-disable-next-line max-params -- per message: an object would be allocated
export function writeRequestHead(
  output: Output,
  head: RequestHead,
  bytes: Buffer,
  request: OutgoingRequest,
): void {
  const { rewrite, idLine, edits, target: pathAndQuery } = request;
  if (pathAndQuery !== undefined)
    output
      .copy(bytes, head.from, head.methodTo + 1)
      .text(pathAndQuery)
      .put(VERSION_LINE);
  else if (rewrite !== undefined && rewrite.cutBytes > 0)
    writeRewritten(output, head, bytes, rewrite);
  else writeStart(output, head, bytes);
  const { fields, target } = head;
  const isEdited = edits?.replaces('host') === true;
  const hostLine = rewrite?.hostLine;
  const replacesHost = isEdited || hostLine !== undefined || target.form === TargetForm.absolute;
  if (replacesHost && !isEdited) {
    if (hostLine !== undefined) output.put(hostLine);
    else output.put(HOST).copy(bytes, target.authorityFrom, target.authorityTo).put(CRLF);
  }
  markPassing(head, bytes, replacesHost, request.identity.isTrusted);
  if (idLine.length > 0 && fields.countOf(Field.requestId) > 0) dropAll(head, Field.requestId);
  if (request.answersExpectation) dropAll(head, Field.expect);
  if (request.trace !== undefined) dropTrace(head, bytes);
  if (edits === undefined) {
    copyPassing(output, bytes, fields);
    output.put(idLine);
    writeForwarding(output, head, bytes, request.identity);
  } else {
    edits.drop(passes, bytes, fields);
    copyPassing(output, bytes, fields);
    if (!edits.replaces('x-request-id')) output.put(idLine);
    if (!edits.replaces('x-forwarded-for'))
      writeForwardedFor(output, head, bytes, request.identity);
    if (!edits.replaces('x-forwarded-proto')) writeProtocol(output, head, request.identity);
    edits.write(output);
  }
  if (request.identity.isTrusted && fields.countOf(Field.forwarded) > 0)
    output.put(request.identity.forwardedLine);
  if (hostLine !== undefined && !isEdited) writeForwardedHost(output, head, bytes, request);
  output.put(request.viaLine);
  if (head.maxForwards > 0)
    output
      .put(MAX_FORWARDS)
      .decimal(head.maxForwards - 1)
      .put(CRLF);
  if (request.trace !== undefined) writeTrace(output, request.trace, edits);
  if (request.isUpgrade) writeUpgrade(output, head, bytes);
  if (request.bodyKind === BodyKind.chunked) output.put(CHUNKED);
  else if (request.bodyKind === BodyKind.length)
    output.put(CONTENT_LENGTH).decimal(head.semantics.contentLength).put(CRLF);
  output.put(CRLF);
}

/** The host that the client asked for, where the endpoint is told another one. */
// oxlint-disable-next-line max-params -- per request: an object would be allocated
function writeForwardedHost(
  output: Output,
  { fields, target }: RequestHead,
  bytes: Buffer,
  { identity, edits }: OutgoingRequest,
): void {
  // A trusted peer knows better what was asked for at first.
  if (identity.isTrusted && fields.countOf(Field.xForwardedHost) > 0) return;
  if (edits?.replaces('x-forwarded-host') === true) return;
  const isAbsolute = target.form === TargetForm.absolute;
  const line = fields.lineOf(Field.host);
  if (!isAbsolute && line < 0) return;
  output.put(FORWARDED_HOST);
  if (isAbsolute) output.copy(bytes, target.authorityFrom, target.authorityTo);
  else output.copy(bytes, fields.valueFrom(line), fields.valueTo(line));
  output.put(CRLF);
}

/** In origin form, whatever form it came in. */
function writeStart(output: Output, head: RequestHead, bytes: Buffer): void {
  const { target } = head;
  if (target.form === TargetForm.absolute) {
    output.copy(bytes, head.from, head.methodTo + 1);
    const isEmpty = target.pathFrom === target.pathTo;
    // RFC 9112 section 3.2.4: the server as a whole is meant.
    if (isEmpty && isMethod(bytes, head.from, head.methodTo, OPTIONS)) output.put(ASTERISK);
    else if (isEmpty || bytes[target.pathFrom] !== SLASH) output.put(SLASH_BYTE);
    output.copy(bytes, target.pathFrom, target.pathTo);
  } else output.copy(bytes, head.from, head.targetTo);
  output.put(VERSION_LINE);
}

/** With another beginning of the path; a slash at the seam is written once. */
// oxlint-disable-next-line max-params -- per request: an object would be allocated
function writeRewritten(
  output: Output,
  { from, methodTo, target }: RequestHead,
  bytes: Buffer,
  { cutBytes, prefix }: Rewrite,
): void {
  output.copy(bytes, from, methodTo + 1).put(prefix);
  // An absolute target may leave out its path, which is `/` then.
  const rest = Math.min(target.pathFrom + cutBytes, target.queryFrom);
  const isDoubled = prefix[prefix.length - 1] === SLASH && bytes[rest] === SLASH;
  output.copy(bytes, isDoubled ? rest + 1 : rest, target.pathTo).put(VERSION_LINE);
}

/** What this proxy says or does itself. */
function dropAll({ fields }: RequestHead, field: Field): void {
  for (let line = 0; line < fields.count; line++) if (fields.kind(line) === field) passes[line] = 0;
}

/** Both lines are of one trace, and go together. */
function dropTrace(head: RequestHead, bytes: Buffer): void {
  dropAll(head, Field.traceparent);
  dropNamed(head.fields, bytes, 'tracestate');
}

/** A filter that writes its own has the last word. */
function writeTrace(output: Output, trace: RequestTrace, edits: FieldEdits | undefined): void {
  if (edits?.replaces('traceparent') === true) return;
  trace.placedAt = output.length;
  output.put(trace.lines);
}

// oxlint-disable-next-line max-params -- per request: an object would be allocated
function markPassing(
  head: RequestHead,
  bytes: Buffer,
  replacesHost: boolean,
  isTrusted: boolean,
): void {
  const { fields, semantics } = head;
  const hasNominated = semantics.nominatedCount > 0;
  for (let line = 0; line < fields.count; line++) {
    const kind = fields.kind(line);
    let pass = 1;
    if (kind === Field.other)
      pass = isMadeUp(bytes, fields.nameFrom(line), fields.nameTo(line), isTrusted) ? 0 : 1;
    else if (HOP_BY_HOP[kind] === 1 || kind === Field.contentLength) pass = 0;
    else if (kind === Field.host) pass = replacesHost ? 0 : 1;
    else if (kind === Field.maxForwards) pass = head.maxForwards < 0 ? 1 : 0;
    // Written anew in any case, so that several lines become one.
    else if (kind === Field.xForwardedFor) pass = 0;
    else if (
      kind === Field.forwarded ||
      kind === Field.xForwardedHost ||
      kind === Field.xForwardedProto
    )
      pass = isTrusted ? 1 : 0;
    if (pass === 1 && hasNominated && isNominated(semantics, bytes, fields, line)) pass = 0;
    passes[line] = pass;
  }
}

// oxlint-disable-next-line max-params -- per message: an object would be allocated
function writeForwarding(
  output: Output,
  head: RequestHead,
  bytes: Buffer,
  identity: ClientIdentity,
): void {
  if (!identity.isTrusted) {
    output.put(identity.lines);
    return;
  }
  writeForwardedFor(output, head, bytes, identity);
  writeProtocol(output, head, identity);
}

/** What a trusted peer says, and the peer. */
// oxlint-disable-next-line max-params -- per message: an object would be allocated
function writeForwardedFor(
  output: Output,
  { fields }: RequestHead,
  bytes: Buffer,
  { isTrusted, address }: ClientIdentity,
): void {
  output.put(FORWARDED_FOR);
  if (isTrusted && fields.countOf(Field.xForwardedFor) > 0)
    for (let line = 0; line < fields.count; line++)
      if (
        fields.kind(line) === Field.xForwardedFor &&
        fields.valueFrom(line) < fields.valueTo(line)
      )
        output.copy(bytes, fields.valueFrom(line), fields.valueTo(line)).put(COMMA_SP);
  output.text(address).put(CRLF);
}

function writeProtocol(
  output: Output,
  { fields }: RequestHead,
  { isTrusted, protocolLine }: ClientIdentity,
): void {
  if (!isTrusted || fields.countOf(Field.xForwardedProto) === 0) output.put(protocolLine);
}

/** The protocol's name as it was asked for. */
function writeUpgrade(output: Output, { fields }: RequestHead, bytes: Buffer): void {
  const line = fields.lineOf(Field.upgrade);
  output.put(UPGRADE).copy(bytes, fields.valueFrom(line), fields.valueTo(line)).put(CRLF);
}

/** By length. */
const IMITATED: readonly (readonly Uint8Array[] | undefined)[] = (() => {
  const table: Uint8Array[][] = [];
  for (const name of [
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'content-length',
    'transfer-encoding',
  ])
    (table[name.length] ??= []).push(ascii(name));
  return table;
})();

const DASH = 0x2d;
const UNDERSCORE = 0x5f;

/** `x-forwarded-port` and whatever else programs believe of that kind. */
const FORWARDED = ascii('x-forwarded-');

// oxlint-disable-next-line max-params -- per line of a message: an object would be allocated
function isMadeUp(bytes: Uint8Array, from: number, to: number, isTrusted: boolean): boolean {
  if (imitates(bytes, from, to)) return true;
  return !isTrusted && to - from > FORWARDED.length && looksLike(bytes, from, FORWARDED);
}

/** `x_forwarded_for` and the like: some programs take `_` for `-`, and would believe what a client made up. */
function imitates(bytes: Uint8Array, from: number, to: number): boolean {
  const names = IMITATED[to - from];
  return names !== undefined && names.some((name) => looksLike(bytes, from, name));
}

function looksLike(bytes: Uint8Array, from: number, name: Uint8Array): boolean {
  for (let at = 0; at < name.length; at++) {
    const byte = bytes[from + at] as number;
    const wanted = name[at] as number;
    if (wanted === DASH ? byte !== DASH && byte !== UNDERSCORE : (byte | 0x20) !== wanted)
      return false;
  }
  return true;
}
