/** Requests of HTTP/1.1 as the engine writes them, on a stream of HTTP/2: head, data, trailers. */
import { ascii, spells } from '../../http1/byte-class.ts';
import { Field } from '../../http1/known-field.ts';
import { RequestHead } from '../../http1/request-head.ts';
import { isMethod } from '../../http1/request-target.ts';
import { COMPLETE, INCOMPLETE } from '../../http1/verdict.ts';
import type { FieldWriter, Http2Stream } from '../http2-stream.ts';
import { NOWHERE } from '../translate/detached.ts';
import { placeOf } from '../translate/field-place.ts';
import { Framing } from '../translate/framing.ts';
import { GRPC_TYPE } from '../translate/grpc-refusal.ts';
import { OutboundBody } from '../translate/outbound-body.ts';
import { startsWith } from '../translate/request-head.ts';

/** What has passed the limits of the engine, and the lines that it adds. One for all: used up at once. */
const head = new RequestHead({
  maxHeadBytes: 4_194_304,
  maxFields: 1_100,
  maxTargetBytes: 1_048_576,
});

const GET = ascii('get');
const WEBSOCKET = ascii('websocket');
const KEY = ascii('sec-websocket-key');

export type HeadVerdict = 'complete' | 'incomplete' | 'bad';

export class RequestSender {
  /** Can more be written at once? If not, the stream says when. */
  mayGoOn = true;
  hasHead = false;
  /** Of the request at hand. */
  isHead = false;
  /** Does it ask for a WebSocket, which is an extended CONNECT here? */
  isTunnel = false;
  /** What was sent in the head as `sec-websocket-key`; there is none in HTTP/2, but the answer has to fit it. */
  key = '';

  readonly #body = new OutboundBody();
  #fields: FieldWriter | undefined = undefined;
  #stream: Http2Stream = NOWHERE;

  /** Has all of the request been handed on? */
  get isOver(): boolean {
    return this.hasHead && this.#body.isDone;
  }

  /** Another request. */
  begin(): void {
    this.hasHead = this.isHead = this.isTunnel = false;
    this.mayGoOn = true;
    this.key = '';
    this.#stream = NOWHERE;
  }

  /** Sends the head that {@link look} has found. @returns where it ends */
  // oxlint-disable-next-line max-params -- per request: an object would be allocated
  sendHead(stream: Http2Stream, fields: FieldWriter, bytes: Buffer, scheme: string): number {
    this.#stream = stream;
    this.#fields = fields;
    const { semantics, end } = head;
    this.hasHead = true;
    this.isHead = head.isHead(bytes);
    const { chunked, contentLength } = semantics;
    const framing = this.isTunnel
      ? Framing.raw
      : chunked
        ? Framing.chunked
        : contentLength > 0
          ? Framing.length
          : Framing.none;
    this.#body.begin(framing, contentLength);
    this.#writeHead(fields, bytes, scheme);
    stream.sendFields(this.#body.isDone);
    return end;
  }

  /** Sends what follows the head. @returns false for bytes that are none of the request */
  send(bytes: Buffer, from: number): boolean {
    let at = from;
    while (at < bytes.length && !this.#body.isDone) {
      at = this.#body.send(this.#stream, this.#fields as FieldWriter, bytes, at, bytes.length);
      this.mayGoOn = this.#body.mayGoOn;
      if (at < 0) return false;
    }
    return at === bytes.length;
  }

  endTunnel(): void {
    this.#body.end(this.#stream);
  }

  /** Is a whole head there? What it asks for is known then. */
  look(bytes: Buffer): HeadVerdict {
    const verdict = head.read(bytes, 0, bytes.length);
    if (verdict === INCOMPLETE) return 'incomplete';
    if (verdict !== COMPLETE) return 'bad';
    const { fields, semantics, from, methodTo } = head;
    const line = fields.lineOf(Field.upgrade);
    this.isTunnel =
      semantics.upgrade &&
      line >= 0 &&
      isMethod(bytes, from, methodTo, GET) &&
      spells(bytes, fields.valueFrom(line), fields.valueTo(line), WEBSOCKET);
    return 'complete';
  }

  /** Does the request ask for another protocol? Answers to anything but a WebSocket are of HTTP/1.1 only. */
  get isUpgrade(): boolean {
    return head.semantics.upgrade;
  }

  #writeHead(fields: FieldWriter, bytes: Buffer, scheme: string): void {
    const { target, fields: lines, from, methodTo } = head;
    fields.begin();
    if (this.isTunnel) fields.text(':method', 'CONNECT').text(':protocol', 'websocket');
    else fields.text(':method', bytes.toString('latin1', from, methodTo));
    fields.text(':scheme', scheme);
    const host = lines.lineOf(Field.host);
    const text = (start: number, end: number): string => bytes.toString('latin1', start, end);
    if (host >= 0) fields.text(':authority', text(lines.valueFrom(host), lines.valueTo(host)));
    fields.text(':path', text(target.pathFrom, target.pathTo));
    let isGrpc = false;
    for (let line = 0; line < lines.count; line++) {
      let isSecret = false;
      switch (lines.kind(line)) {
        case Field.host:
        case Field.connection:
        case Field.keepAlive:
        case Field.proxyConnection:
        case Field.transferEncoding:
        case Field.upgrade:
        case Field.te:
          continue;
        case Field.cookie:
        case Field.authorization:
          // Clients share the connection, and its table: what one of them sends must not show in the sizes of another's.
          isSecret = true;
          break;
        case Field.contentType:
          isGrpc = startsWith(bytes, lines.valueFrom(line), lines.valueTo(line), GRPC_TYPE);
          break;
        case Field.other:
          if (this.isTunnel && isNamed(bytes, line, KEY)) {
            this.key = bytes.toString('latin1', lines.valueFrom(line), lines.valueTo(line));
            continue;
          }
          break;
        default:
      }
      fields.bytes(bytes, placeOf(lines, line), isSecret);
    }
    // For this hop only, so that it does not come from the client; gRPC tells by it that trailers arrive.
    if (isGrpc) fields.text('te', 'trailers');
  }
}

function isNamed(bytes: Buffer, line: number, name: Uint8Array): boolean {
  return spells(bytes, head.fields.nameFrom(line), head.fields.nameTo(line), name);
}
