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
import type { ResponseHead } from '../http1/response-head.ts';
import { COMPLETE, INCOMPLETE } from '../http1/verdict.ts';
import { type ByteStream, NotTakenError, type StreamOwner } from '../socket/byte-stream.ts';
import type { Timed } from '../socket/sweeper.ts';
import type { ClientConnection } from './client-connection.ts';
import type { Exchange } from './exchange.ts';
import type { ResponseBody } from './filters/response-body.ts';
import type { EngineHost } from './host.ts';
import { mayBeSwitched, sendInterim, sendSwitching } from './interim.ts';
import { Reception, type Requester } from './requester.ts';
import { bodyKindOf, contradictsItself } from './response-framing.ts';
import { type ResponseSource, startFiltered, startResponse } from './response-start.ts';

import type { EndpointPool } from './upstream-pools.ts';

const State = { connecting: 0, ready: 1, head: 2, body: 3, tunnel: 4, closed: 5 } as const;
type State = (typeof State)[keyof typeof State];

/** Informational responses before a final one. */
const MAX_INFORMATIONAL = 16;

/** Bytes of a response that nobody wants, which are read so that its connection can serve again. */
const MAX_DROPPED_BYTES = 1_048_576;

const NONE = Number.POSITIVE_INFINITY;

export class UpstreamConnection implements StreamOwner, Timed, ResponseSource {
  dueAtMs: number;
  sweepIndex = -1;

  readonly host: EngineHost;
  readonly pump: BodyPump = new BodyPump();

  readonly #pool: EndpointPool;
  #stream: ByteStream | undefined = undefined;
  #state: State = State.connecting;
  /** Whose response is at hand. */
  #requester: Requester | undefined;
  #held: Buffer | undefined = undefined;
  #informationalCount = 0;
  /** Does the endpoint keep the connection after the response at hand? */
  #keeps = false;
  /** Is the response read for nobody? */
  #isDropped = false;

  /** @param requester undefined for one that is to wait for requests */
  constructor(host: EngineHost, pool: EndpointPool, requester: Requester | undefined) {
    this.host = host;
    this.#pool = pool;
    this.#requester = requester;
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
  begin(requester: Requester): void {
    this.#requester = requester;
    this.#state = State.head;
    this.#informationalCount = 0;
    this.#isDropped = false;
    this.dueAtMs = NONE;
  }

  /** The request at hand, or the one that it was made for, is another one's from now on. */
  belongTo(requester: Requester): void {
    this.#requester = requester;
  }

  /** @param whole from now on the endpoint alone is awaited */
  requestSent(whole: boolean): void {
    if (whole && this.#state === State.head)
      this.dueAtMs = this.host.sweeper.dueAfter(this.host.timeouts.responseHeadMs);
  }

  /** Something passed through a tunnel. */
  touch(): void {
    this.dueAtMs = this.host.sweeper.dueAfter(this.host.timeouts.tunnelIdleMs);
  }

  /** Nobody takes more of the response now: no limit of the endpoint's runs. */
  pause(): void {
    this.stream.pause();
    this.dueAtMs = NONE;
  }

  resume(): void {
    if (!this.stream.paused) return;
    this.stream.resume();
    if (this.#state === State.body) this.#awaitBody();
  }

  /** Nobody wants the response any more. */
  abandon(): void {
    this.#requester = undefined;
    this.stream.destroy();
  }

  onConnect(): void {
    if (this.#state !== State.connecting) return;
    this.#state = State.ready;
    this.dueAtMs = NONE;
    const requester = this.#requester;
    if (requester === undefined) this.#pool.put(this);
    else requester.connected(this);
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
        this.#requester?.client?.stream.end();
        return;
      case State.body:
        if (this.pump.kind === BodyKind.untilClose) {
          this.#endUntilClose();
          return;
        }
        this.#fail();
        return;
      case State.head:
        this.#fail();
        return;
      case State.ready:
      case State.connecting:
      case State.closed:
        this.stream.destroy();
    }
  }

  onDrain(): void {
    this.#requester?.upstreamDrained();
  }

  onClose(error: Error | undefined): void {
    const state = this.#state;
    this.#state = State.closed;
    this.#held = undefined;
    this.host.sweeper.remove(this);
    this.#pool.remove(this);
    this.#lose(state, Outcome.reset, !(error instanceof NotTakenError));
  }

  onDue(): void {
    this.dueAtMs = NONE;
    this.#lose(this.#state, Outcome.timeout, true);
    this.stream.destroy();
  }

  /** No complete response comes over this connection. @param state where it was */
  #lose(state: State, outcome: Outcome, sent: boolean): void {
    const requester = this.#requester;
    this.#requester = undefined;
    if (requester === undefined) return;
    if (state === State.connecting) requester.failed(Outcome.connectFailure, false);
    else if (state === State.tunnel) requester.tunnelClosed();
    else requester.failed(outcome, sent);
  }

  /** Idle from now on. */
  rest(): void {
    this.#state = State.ready;
    this.#requester = undefined;
    this.dueAtMs = this.host.sweeper.dueAfter(this.host.timeouts.upstreamIdleMs);
    this.stream.resume();
  }

  #consume(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      switch (this.#state) {
        case State.head: {
          const head = this.host.responseHead;
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
          this.host.output.begin();
          at = this.#isDropped ? this.#drop(bytes, at, to) : this.#forward(bytes, at, to);
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
    const requester = this.#requester as Requester;
    if (head.status < 200) return this.#informational(requester, head, bytes);
    const isBodiless = head.isBodiless || requester.isHead;
    const kind = bodyKindOf(head, isBodiless);
    this.#keeps = head.keepsConnection && kind !== BodyKind.untilClose && !contradictsItself(head);
    const reception = requester.answer(head, bytes);
    if (reception === Reception.refuse) {
      this.abandon();
      return to;
    }
    this.#state = State.body;
    if (reception === Reception.drop) {
      this.#isDropped = true;
      this.pump.begin(kind, head.semantics.contentLength, false);
      return this.#drop(bytes, head.end, to);
    }
    // The answer may have made the connection another one's.
    const exchange = this.#requester as Exchange;
    const { client } = exchange;
    if (client.run === undefined) startResponse(this, client, head, bytes, isBodiless);
    else if (!startFiltered(this, exchange, head, bytes, isBodiless)) return to;
    const at = this.#forward(bytes, head.end, to);
    exchange.turnOver();
    return at;
  }

  /** Sends what the output holds and the body bytes at hand with it. @returns where the used bytes end */
  #forward(bytes: Buffer, from: number, to: number): number {
    const client = this.#clientOf();
    const { output } = this.host;
    const { pump } = this;
    const at = pump.done ? from : pump.pump(bytes, from, to, output);
    if (pump.problem !== 0) {
      this.#fail();
      return to;
    }
    if (client.response !== undefined) return this.#forwardTo(client.response, at, to);
    client.account.bytesOut += output.length;
    const mayGoOn = output.sendTo(client.stream);
    if (pump.done) {
      this.#complete(at < to);
      return to;
    }
    this.#awaitBody();
    if (!mayGoOn) {
      this.pause();
      client.stalled();
    }
    return at;
  }

  /** What the output holds goes through filters. @returns where the used bytes end */
  #forwardTo(response: ResponseBody, at: number, to: number): number {
    const { output } = this.host;
    const bytes = output.take();
    if (this.pump.done) {
      this.pump.putEnd(output.begin());
      const end = output.take();
      this.#release(at < to).received();
      response.take(bytes, end);
      return to;
    }
    response.take(bytes, undefined);
    // A filter may have failed.
    if (this.#requester === undefined) return to;
    if (response.takesMore) this.#awaitBody();
    else this.pause();
    return at;
  }

  /** Reads what nobody wants, up to a bound. */
  #drop(bytes: Buffer, from: number, to: number): number {
    const { pump } = this;
    const at = pump.done ? from : pump.pump(bytes, from, to, this.host.output.begin());
    if (pump.problem !== 0) this.#fail();
    else if (pump.done) this.#complete(at < to);
    else if (pump.byteCount <= MAX_DROPPED_BYTES) this.#awaitBody();
    else this.#complete(true);
    return to;
  }

  #awaitBody(): void {
    const { bodyIdleMs, tunnelIdleMs } = this.host.timeouts;
    const isCall = this.#requester?.client?.exchange.kind.isCall === true;
    this.dueAtMs = this.host.sweeper.dueAfter(isCall ? tunnelIdleMs : bodyIdleMs);
  }

  #endUntilClose(): void {
    const { output } = this.host;
    this.#keeps = false;
    output.begin();
    if (!this.#isDropped) {
      const client = this.#clientOf();
      if (client.response !== undefined) {
        this.pump.done = true;
        this.#forwardTo(client.response, 0, 0);
        return;
      }
      this.pump.finish(output);
      client.account.bytesOut += output.length;
      if (output.length > 0) output.sendTo(client.stream);
    }
    this.#complete(false);
  }

  /** @param more did bytes follow that nobody asked for? */
  #complete(more: boolean): void {
    this.#release(more).complete();
  }

  /** The response is whole: the connection is free for another request, or of no use. @returns whose it was */
  #release(more: boolean): Requester {
    const requester = this.#requester as Requester;
    const { trailers, trailerBytes } = this.pump;
    if (trailers !== undefined && trailerBytes !== undefined)
      requester.trailers?.(trailers, trailerBytes);
    this.#requester = undefined;
    this.dueAtMs = NONE;
    if (this.#keeps && !more && requester.requestDone) this.#pool.put(this);
    else this.stream.destroy();
    return requester;
  }

  #informational(requester: Requester, head: ResponseHead, bytes: Buffer): number {
    const { end } = head;
    if (head.status === 101 && mayBeSwitched(requester, head, bytes)) {
      requester.answer(head, bytes);
      this.#state = State.tunnel;
      this.touch();
      sendSwitching(this.host, this.#clientOf(), head, bytes);
      return end;
    }
    if (head.status === 101 || ++this.#informationalCount > MAX_INFORMATIONAL) {
      this.#refuse();
      return bytes.length;
    }
    if (requester.client !== undefined) sendInterim(this.host, requester.client, head, bytes);
    return end;
  }

  #sendTunnel(bytes: Buffer, from: number, to: number): void {
    const client = this.#requester?.client;
    if (client === undefined) return;
    this.touch();
    client.account.bytesOut += to - from;
    if (!this.host.output.begin().copy(bytes, from, to).sendTo(client.stream)) this.stream.pause();
  }

  /** A message that breaks a rule. */
  #refuse(): void {
    this.host.counters.badResponseCount++;
    this.#fail();
  }

  #fail(): void {
    this.#lose(State.body, Outcome.reset, true);
    this.stream.destroy();
  }

  #clientOf(): ClientConnection {
    return (this.#requester as Exchange).client;
  }
}
