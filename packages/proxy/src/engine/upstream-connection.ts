/**
 * The endpoint's side: sends a request, reads the response and passes it on, and goes back to its pool.
 *
 * ```text
 *  connecting ─► ready ─► head ─► body ─► ready        ready: idle in the pool
 *                           └──► tunnel
 * ```
 */
import { Outcome } from '@evenkeel/core';
import { BodyKind, BodyPump } from '../http1/body-pump.ts';
import { Field } from '../http1/known-field.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { COMPLETE, INCOMPLETE } from '../http1/verdict.ts';
import type { ByteStream, StreamOwner } from '../socket/byte-stream.ts';
import type { Timed } from '../socket/sweeper.ts';
import type { Exchange } from './exchange.ts';
import type { EngineHost } from './host.ts';
import { writeInformational, writeResponseHead, writeSwitching } from './response-writer.ts';
import type { EndpointPool } from './upstream-pools.ts';

const State = { connecting: 0, ready: 1, head: 2, body: 3, tunnel: 4, closed: 5 } as const;
type State = (typeof State)[keyof typeof State];

/** Informational responses before a final one. */
const MAX_INFORMATIONAL = 16;

const NONE = Number.POSITIVE_INFINITY;

export class UpstreamConnection implements StreamOwner, Timed {
  dueAtMs: number;
  sweepIndex = -1;
  /** Requests served. */
  servedCount = 0;

  readonly #host: EngineHost;
  readonly #pool: EndpointPool;
  readonly #pump = new BodyPump();
  #stream: ByteStream | undefined = undefined;
  #state: State = State.connecting;
  #exchange: Exchange | undefined;
  #held: Buffer | undefined = undefined;
  #informationalCount = 0;
  /** Does the endpoint keep the connection after the response at hand? */
  #keeps = false;

  constructor(host: EngineHost, pool: EndpointPool, exchange: Exchange) {
    this.#host = host;
    this.#pool = pool;
    this.#exchange = exchange;
    this.dueAtMs = host.runtime.clock.nowMs() + host.timeouts.connectMs;
  }

  /** Right after the stream was made, before its first event. */
  attach(stream: ByteStream): void {
    this.#stream = stream;
  }

  get stream(): ByteStream {
    return this.#stream as ByteStream;
  }

  /** Can a request be sent now? */
  get isReady(): boolean {
    return this.#state !== State.connecting && this.#state !== State.closed;
  }

  /** Takes on a request. */
  begin(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#state = State.head;
    this.#informationalCount = 0;
    this.dueAtMs = NONE;
  }

  /** @param whole from now on the endpoint alone is awaited */
  requestSent(whole: boolean): void {
    if (whole && this.#state === State.head)
      this.dueAtMs = this.#host.sweeper.dueAfter(this.#host.timeouts.responseHeadMs);
  }

  /** Something passed through a tunnel. */
  touch(): void {
    this.dueAtMs = this.#host.sweeper.dueAfter(this.#host.timeouts.tunnelIdleMs);
  }

  /** Nobody wants the response any more. */
  abandon(): void {
    this.#exchange = undefined;
    this.stream.destroy();
  }

  onConnect(): void {
    if (this.#state !== State.connecting) return;
    this.#state = State.ready;
    this.dueAtMs = NONE;
    const exchange = this.#exchange;
    if (exchange === undefined) this.#pool.put(this);
    else exchange.connected(this);
  }

  onBytes(bytes: Buffer, from: number, to: number): void {
    const held = this.#held;
    if (held === undefined) {
      this.#consume(bytes, from, to);
      return;
    }
    this.#held = undefined;
    const all = Buffer.concat([held, bytes.subarray(from, to)]);
    this.#consume(all, 0, all.length);
  }

  onEnd(): void {
    switch (this.#state) {
      case State.tunnel:
        this.#exchange?.client.stream.end();
        return;
      case State.body:
        if (this.#pump.kind === BodyKind.untilClose) {
          this.#endUntilClose();
          return;
        }
        this.#fail(Outcome.reset);
        return;
      case State.head:
        this.#fail(Outcome.reset);
        return;
      case State.ready:
      case State.connecting:
      case State.closed:
        this.stream.destroy();
    }
  }

  onDrain(): void {
    this.#exchange?.upstreamDrained();
  }

  onClose(): void {
    const state = this.#state;
    this.#state = State.closed;
    this.#held = undefined;
    this.#host.sweeper.remove(this);
    this.#pool.remove(this);
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange === undefined) return;
    if (state === State.connecting) exchange.failed(Outcome.connectFailure, false);
    else if (state === State.tunnel) exchange.tunnelClosed();
    else exchange.failed(Outcome.reset, true);
  }

  onDue(): void {
    this.dueAtMs = NONE;
    const exchange = this.#exchange;
    const state = this.#state;
    this.#exchange = undefined;
    this.stream.destroy();
    if (exchange === undefined) return;
    if (state === State.connecting) exchange.failed(Outcome.connectFailure, false);
    else if (state === State.tunnel) exchange.tunnelClosed();
    else exchange.failed(Outcome.timeout, true);
  }

  /** Idle from now on. */
  rest(): void {
    this.#state = State.ready;
    this.#exchange = undefined;
    this.dueAtMs = this.#host.sweeper.dueAfter(this.#host.timeouts.upstreamIdleMs);
    this.stream.resume();
  }

  #consume(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      switch (this.#state) {
        case State.head: {
          const head = this.#host.responseHead;
          const verdict = head.read(bytes, at, to);
          if (verdict === INCOMPLETE) {
            this.#held = Buffer.from(bytes.subarray(at, to));
            return;
          }
          if (verdict !== COMPLETE) {
            this.#refuse();
            return;
          }
          at = this.#beginResponse(head, bytes, to);
          break;
        }
        case State.body:
          at = this.#pumpBody(bytes, at, to);
          break;
        case State.tunnel:
          this.#sendTunnel(bytes, at, to);
          return;
        case State.ready:
        case State.connecting:
          // Nobody asked for this.
          this.stream.destroy();
          return;
        case State.closed:
          return;
      }
    }
  }

  #beginResponse(head: ResponseHead, bytes: Buffer, to: number): number {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      this.stream.destroy();
      return to;
    }
    if (head.status < 200) return this.#informational(exchange, head, bytes);
    const { semantics } = head;
    const isBodiless = head.isBodiless || exchange.isHead;
    const kind = bodyKindOf(head, isBodiless);
    this.#keeps = head.keepsConnection && kind !== BodyKind.untilClose;
    if (!exchange.answer(head, bytes)) return this.#discard(to);
    const { client } = exchange;
    const isDelimited = kind === BodyKind.none || kind === BodyKind.length;
    const rechunk = !isDelimited && client.minor === 1;
    // HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
    if (!isDelimited && !rechunk) client.keepAlive = false;
    const { output, dateLine, counters } = this.#host;
    counters.countStatus(head.status);
    client.account.status = head.status;
    writeResponseHead(output.begin(), head, bytes, {
      framing: framingOf(head, isBodiless, rechunk),
      connection: client.keepAlive ? (client.minor === 1 ? 'none' : 'keep-alive') : 'close',
      dateLine: dateLine.bytes,
      idLine: client.account.id.line,
    });
    this.#pump.begin(kind, semantics.contentLength, rechunk);
    this.#state = State.body;
    return this.#forward(bytes, head.end, to);
  }

  #pumpBody(bytes: Buffer, from: number, to: number): number {
    this.#host.output.begin();
    return this.#forward(bytes, from, to);
  }

  /** Sends what the output holds and the body bytes at hand with it. @returns where the used bytes end */
  #forward(bytes: Buffer, from: number, to: number): number {
    const exchange = this.#exchange as Exchange;
    const { client } = exchange;
    const { output, sweeper, timeouts } = this.#host;
    const pump = this.#pump;
    const at = pump.done ? from : pump.pump(bytes, from, to, output);
    client.account.bytesOut += output.length;
    const mayGoOn = output.sendTo(client.stream);
    if (pump.problem !== 0) {
      this.#fail(Outcome.reset);
      return to;
    }
    if (pump.done) {
      this.#complete(at < to);
      return to;
    }
    this.dueAtMs = sweeper.dueAfter(timeouts.bodyIdleMs);
    if (!mayGoOn) {
      this.stream.pause();
      // The client's limit runs now, not the endpoint's.
      this.dueAtMs = NONE;
      client.stalled();
    }
    return at;
  }

  #endUntilClose(): void {
    const { output } = this.#host;
    this.#pump.finish(output.begin());
    const exchange = this.#exchange as Exchange;
    exchange.client.account.bytesOut += output.length;
    if (output.length > 0) output.sendTo(exchange.client.stream);
    this.#keeps = false;
    this.#complete(false);
  }

  /** @param more did bytes follow that nobody asked for? */
  #complete(more: boolean): void {
    const exchange = this.#exchange as Exchange;
    this.#exchange = undefined;
    this.servedCount++;
    this.dueAtMs = NONE;
    if (this.#keeps && !more && exchange.client.requestDone) this.#pool.put(this);
    else this.stream.destroy();
    exchange.complete();
  }

  /** The response is not wanted: another endpoint is asked. */
  #discard(to: number): number {
    this.#exchange = undefined;
    this.stream.destroy();
    return to;
  }

  #informational(exchange: Exchange, head: ResponseHead, bytes: Buffer): number {
    const { output } = this.#host;
    const { client } = exchange;
    if (head.status === 101) return this.#switch(exchange, head, bytes);
    if (++this.#informationalCount > MAX_INFORMATIONAL) {
      this.#refuse();
      return bytes.length;
    }
    // HTTP/1.0 has none (RFC 9110 section 15.2).
    if (client.minor === 1) {
      writeInformational(output.begin(), head, bytes);
      client.account.bytesOut += output.length;
      output.sendTo(client.stream);
    }
    return head.end;
  }

  /** Only if it was asked for, and the endpoint says to what. */
  #switch(exchange: Exchange, head: ResponseHead, bytes: Buffer): number {
    const { output, counters } = this.#host;
    if (!exchange.isUpgrade || head.fields.countOf(Field.upgrade) !== 1) {
      this.#refuse();
      return bytes.length;
    }
    counters.tunnelCount++;
    exchange.answer(head, bytes);
    writeSwitching(output.begin(), head, bytes);
    exchange.client.account.status = 101;
    exchange.client.account.bytesOut += output.length;
    output.sendTo(exchange.client.stream);
    this.#state = State.tunnel;
    this.touch();
    const { end } = head;
    exchange.client.switchProtocol();
    return end;
  }

  #sendTunnel(bytes: Buffer, from: number, to: number): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.touch();
    const { client } = exchange;
    client.account.bytesOut += to - from;
    if (!this.#host.output.begin().copy(bytes, from, to).sendTo(client.stream)) this.stream.pause();
  }

  /** A message that breaks a rule. */
  #refuse(): void {
    this.#host.counters.badResponseCount++;
    this.#fail(Outcome.reset);
  }

  #fail(outcome: Outcome): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.stream.destroy();
    exchange?.failed(outcome, true);
  }
}

/** RFC 9112 section 6.3. */
function bodyKindOf({ semantics }: ResponseHead, isBodiless: boolean): BodyKind {
  if (isBodiless) return BodyKind.none;
  if (semantics.chunked) return BodyKind.chunked;
  return semantics.contentLength >= 0 ? BodyKind.length : BodyKind.untilClose;
}

function framingOf(
  { semantics, status }: ResponseHead,
  isBodiless: boolean,
  rechunk: boolean,
): 'none' | 'length' | 'chunked' {
  if (rechunk) return 'chunked';
  // A HEAD or a 304 may say how long the body would be; a 204 must not (RFC 9110 section 8.6).
  const mayName = !isBodiless || status !== 204;
  return mayName && semantics.contentLength >= 0 ? 'length' : 'none';
}
