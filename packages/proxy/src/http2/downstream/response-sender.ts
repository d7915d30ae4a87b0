/** Responses of HTTP/1.1 as the engine writes them, on a stream of HTTP/2: head, data, trailers. */
import { ascii, spells } from '../../http1/byte-class.ts';
import { Field } from '../../http1/known-field.ts';
import { ResponseHead } from '../../http1/response-head.ts';
import { COMPLETE, INCOMPLETE } from '../../http1/verdict.ts';
import type { FieldWriter, Http2Stream } from '../http2-stream.ts';
import { NOWHERE } from '../translate/detached.ts';
import { placeOf } from '../translate/field-place.ts';
import { Framing } from '../translate/framing.ts';
import { GRPC_TYPE, writeGrpcBreak, writeGrpcRefusal } from '../translate/grpc-refusal.ts';
import { OutboundBody } from '../translate/outbound-body.ts';
import { startsWith } from '../translate/request-head.ts';

/** What has passed the limits of the engine, and the lines that it adds. One for all: used up at once. */
const head = new ResponseHead({
  maxHeadBytes: 4_194_304,
  maxFields: 1_100,
  maxTargetBytes: 65_536,
});

const ACCEPT = ascii('sec-websocket-accept');

/** By status. */
const statusTexts: string[] = Array.from({ length: 1_000 }, (_, status) => String(status));

/** What of a request its response depends on. */
export interface Asked {
  readonly isHead: boolean;
  /** A call of gRPC: what the proxy answers itself is told in gRPC's way. */
  readonly isGrpc: boolean;
  /** What `sec-websocket-accept` has to be; undefined where no WebSocket is asked for. */
  readonly accept: string | undefined;
}

/** @returns why the proxy answers itself; undefined when it passes on what an endpoint answers */
export type LocalReason = () => string | undefined;

export class ResponseSender {
  /** Can more be written at once? If not, the stream says when. */
  mayGoOn = true;
  /** Has the head of the final response been written? */
  hasHead = false;
  /** Is the WebSocket open? */
  isOpen = false;
  /** Has the stream ended with an answer in gRPC's way, whatever the engine still writes? */
  isRefused = false;
  /** Is what the engine wrote none of HTTP/1.1, or no WebSocket after all? */
  isBroken = false;

  readonly #fields: FieldWriter;
  readonly #reasonOf: LocalReason;
  readonly #body = new OutboundBody();
  #stream: Http2Stream = NOWHERE;
  #asked: Asked = { isHead: false, isGrpc: false, accept: undefined };
  /** A part of a head. */
  #held: Buffer | undefined = undefined;

  constructor(fields: FieldWriter, reasonOf: LocalReason) {
    this.#fields = fields;
    this.#reasonOf = reasonOf;
  }

  /** Has the engine written all of the response? */
  get isOver(): boolean {
    return this.hasHead && this.#body.isDone;
  }

  /** Has the end of the response been sent? */
  get isSent(): boolean {
    return this.isRefused || (this.isOver && !this.isOpen);
  }

  /** Is the response to an extended CONNECT another one than was asked for? */
  get isTurnedDown(): boolean {
    return this.#asked.accept !== undefined && this.isOver && !this.isOpen;
  }

  begin(stream: Http2Stream, asked: Asked): void {
    this.#stream = stream;
    this.#asked = asked;
    this.#held = undefined;
    this.mayGoOn = true;
    this.hasHead = this.isOpen = this.isRefused = this.isBroken = false;
  }

  send(bytes: Buffer): void {
    const held = this.#held;
    this.#held = undefined;
    const all = held === undefined ? bytes : Buffer.concat([held, bytes]);
    const to = all.length;
    let at = 0;
    while (at < to && !this.isOver && !this.isBroken)
      at = this.hasHead ? this.#sendBody(all, at, to) : this.#sendHead(all, at, to);
  }

  /** The end of what comes out of a WebSocket. */
  endTunnel(): void {
    this.#body.end(this.#stream);
  }

  /** Ends a call of gRPC whose response breaks off. @returns false where that cannot be told */
  breakCall(): boolean {
    const { mayGoOn, hasHead } = this;
    if (!this.#asked.isGrpc || !mayGoOn || !hasHead || this.#body.isDone) return false;
    writeGrpcBreak(this.#fields, 'evenkeel: the response broke off');
    this.#stream.sendFields(true);
    return true;
  }

  #sendBody(bytes: Buffer, from: number, to: number): number {
    const end = this.#body.send(this.#stream, this.#fields, bytes, from, to);
    this.mayGoOn = this.#body.mayGoOn;
    if (end < 0) this.isBroken = true;
    return end;
  }

  #sendHead(bytes: Buffer, from: number, to: number): number {
    const verdict = head.read(bytes, from, to);
    if (verdict === INCOMPLETE) {
      this.#held = Buffer.from(bytes.subarray(from, to));
      return to;
    }
    if (verdict !== COMPLETE) {
      this.isBroken = true;
      return to;
    }
    const { status, end } = head;
    if (status === 101) this.#open(bytes);
    else if (status < 200) {
      this.#write(bytes, status);
      this.#stream.sendFields(false);
    } else this.#sendFinal(bytes, status);
    return end;
  }

  #sendFinal(bytes: Buffer, status: number): void {
    const { accept, isGrpc } = this.#asked;
    const { contentLength } = head.semantics;
    // Before anything is sent: the end of the stream may be told from within.
    this.hasHead = true;
    this.#body.begin(this.#framingOf(status), contentLength);
    const isEnd = this.#body.isDone;
    const reason = isGrpc ? this.#reasonOf() : undefined;
    if (reason !== undefined && !isGrpcAnswer(bytes)) {
      const stream = this.#stream;
      this.#stream = NOWHERE;
      this.isRefused = true;
      writeGrpcRefusal(this.#fields, status, `evenkeel: ${reason} (HTTP status ${status})`);
      stream.sendFields(true);
      return;
    }
    // In the answer to an extended CONNECT, success would mean that the WebSocket is open (RFC 8441 section 5).
    this.#write(bytes, accept !== undefined && status < 300 ? 502 : status);
    this.#stream.sendFields(isEnd);
  }

  /** RFC 9112 section 6.3, of what the engine writes to a client that keeps its connection. */
  #framingOf(status: number): Framing {
    if (this.#asked.isHead || status === 204 || status === 304) return Framing.none;
    if (head.semantics.chunked) return Framing.chunked;
    return head.semantics.contentLength >= 0 ? Framing.length : Framing.raw;
  }

  #open(bytes: Buffer): void {
    const { accept } = this.#asked;
    if (accept === undefined || !isAccepted(bytes, accept)) {
      this.isBroken = true;
      return;
    }
    this.hasHead = this.isOpen = true;
    this.#body.begin(Framing.raw, -1);
    this.#write(bytes, 200);
    this.#stream.sendFields(false);
  }

  #write(bytes: Buffer, status: number): void {
    const { fields: lines } = head;
    const fields = this.#fields.begin().text(':status', statusTexts[status] as string);
    for (let line = 0; line < lines.count; line++) {
      switch (lines.kind(line)) {
        case Field.connection:
        case Field.keepAlive:
        case Field.proxyConnection:
        case Field.transferEncoding:
        case Field.upgrade:
          continue;
        case Field.other:
          if (this.isOpen && isAcceptLine(bytes, line)) continue;
          break;
        default:
      }
      fields.bytes(bytes, placeOf(lines, line));
    }
  }
}

function isAcceptLine(bytes: Buffer, line: number): boolean {
  return spells(bytes, head.fields.nameFrom(line), head.fields.nameTo(line), ACCEPT);
}

function isAccepted(bytes: Buffer, accept: string): boolean {
  const { fields } = head;
  for (let line = 0; line < fields.count; line++)
    if (isAcceptLine(bytes, line))
      return bytes.toString('latin1', fields.valueFrom(line), fields.valueTo(line)) === accept;
  return false;
}

function isGrpcAnswer(bytes: Buffer): boolean {
  const { fields } = head;
  const line = fields.lineOf(Field.contentType);
  return line >= 0 && startsWith(bytes, fields.valueFrom(line), fields.valueTo(line), GRPC_TYPE);
}
