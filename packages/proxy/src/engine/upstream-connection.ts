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
import { type ByteStream, NotTakenError, type StreamOwner } from '../socket/byte-stream.ts';
import type { Timed } from '../socket/sweeper.ts';
import type { ClientConnection } from './client-connection.ts';
import type { Exchange } from './exchange.ts';
import type { ResponseBody } from './filters/response-body.ts';
import type { EngineHost } from './host.ts';
import { Reception, type Requester } from './requester.ts';
import { bodyKindOf } from './response-framing.ts';
import { type ResponseSource, startFiltered, startResponse } from './response-start.ts';
import { writeInformational, writeSwitching } from './response-writer.ts';
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
  /** Requests served. */
  servedCount = 0;

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

  constructor(host: EngineHost, pool: EndpointPool, requester: Requester) {
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
    if (this.#state === State.body)
      this.dueAtMs = this.host.sweeper.dueAfter(this.host.timeouts.bodyIdleMs);
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
    this.#requester?.upstreamDrained();
  }

  onClose(error: Error | undefined): void {
    const state = this.#state;
    this.#state = State.closed;
    this.#held = undefined;
    this.host.sweeper.remove(this);
    this.#pool.remove(this);
    const requester = this.#requester;
    this.#requester = undefined;
    if (requester === undefined) return;
    if (state === State.connecting) requester.failed(Outcome.connectFailure, false);
    else if (state === State.tunnel) requester.tunnelClosed();
    else requester.failed(Outcome.reset, !(error instanceof NotTakenError));
  }

  onDue(): void {
    this.dueAtMs = NONE;
    const requester = this.#requester;
    const state = this.#state;
    this.#requester = undefined;
    this.stream.destroy();
    if (requester === undefined) return;
    if (state === State.connecting) requester.failed(Outcome.connectFailure, false);
    else if (state === State.tunnel) requester.tunnelClosed();
    else requester.failed(Outcome.timeout, true);
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
    const requester = this.#requester;
    if (requester === undefined) {
      this.stream.destroy();
      return to;
    }
    if (head.status < 200) return this.#informational(requester, head, bytes);
    const isBodiless = head.isBodiless || requester.isHead;
    const kind = bodyKindOf(head, isBodiless);
    this.#keeps = head.keepsConnection && kind !== BodyKind.untilClose;
    const reception = requester.answer(head, bytes);
    if (reception === Reception.refuse) return this.#discard(to);
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
    return this.#forward(bytes, head.end, to);
  }

  #pumpBody(bytes: Buffer, from: number, to: number): number {
    if (this.#isDropped) return this.#drop(bytes, from, to);
    this.host.output.begin();
    return this.#forward(bytes, from, to);
  }

  /** Sends what the output holds and the body bytes at hand with it. @returns where the used bytes end */
  #forward(bytes: Buffer, from: number, to: number): number {
    const client = this.#clientOf();
    const { output, sweeper, timeouts } = this.host;
    const { pump } = this;
    const at = pump.done ? from : pump.pump(bytes, from, to, output);
    if (client.response !== undefined) return this.#forwardTo(client.response, at, to);
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
      this.pause();
      client.stalled();
    }
    return at;
  }

  /** What the output holds goes through filters. @returns where the used bytes end */
  #forwardTo(response: ResponseBody, at: number, to: number): number {
    const { output, sweeper, timeouts } = this.host;
    if (this.pump.problem !== 0) {
      this.#fail(Outcome.reset);
      return to;
    }
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
    if (response.takesMore) this.dueAtMs = sweeper.dueAfter(timeouts.bodyIdleMs);
    else this.pause();
    return at;
  }

  /** Reads what nobody wants, up to a bound. */
  #drop(bytes: Buffer, from: number, to: number): number {
    const { pump } = this;
    const { output, sweeper, timeouts } = this.host;
    const at = pump.done ? from : pump.pump(bytes, from, to, output.begin());
    if (pump.problem !== 0) {
      this.#fail(Outcome.reset);
      return to;
    }
    if (pump.done || pump.byteCount > MAX_DROPPED_BYTES) {
      if (!pump.done) this.#keeps = false;
      this.#complete(at < to);
      return to;
    }
    this.dueAtMs = sweeper.dueAfter(timeouts.bodyIdleMs);
    return at;
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
    this.#requester = undefined;
    this.servedCount++;
    this.dueAtMs = NONE;
    if (this.#keeps && !more && requester.requestDone) this.#pool.put(this);
    else this.stream.destroy();
    return requester;
  }

  /** The response is not wanted: another endpoint is asked. */
  #discard(to: number): number {
    this.#requester = undefined;
    this.stream.destroy();
    return to;
  }

  #informational(requester: Requester, head: ResponseHead, bytes: Buffer): number {
    const { output } = this.host;
    const { client } = requester;
    if (head.status === 101) return this.#switch(requester, head, bytes);
    if (++this.#informationalCount > MAX_INFORMATIONAL) {
      this.#refuse();
      return bytes.length;
    }
    // HTTP/1.0 has none (RFC 9110 section 15.2).
    if (client?.minor === 1) {
      writeInformational(output.begin(), head, bytes);
      client.account.bytesOut += output.length;
      output.sendTo(client.stream);
    }
    return head.end;
  }

  /** Only if it was asked for, and the endpoint says to what. */
  #switch(requester: Requester, head: ResponseHead, bytes: Buffer): number {
    const { output, counters } = this.host;
    const { client } = requester;
    const isAsked = requester.isUpgrade && head.fields.countOf(Field.upgrade) === 1;
    if (!isAsked || client === undefined) {
      this.#refuse();
      return bytes.length;
    }
    counters.tunnelCount++;
    requester.answer(head, bytes);
    writeSwitching(output.begin(), head, bytes);
    client.account.status = 101;
    client.account.bytesOut += output.length;
    output.sendTo(client.stream);
    this.#state = State.tunnel;
    this.touch();
    const { end } = head;
    client.switchProtocol();
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
    this.#fail(Outcome.reset);
  }

  #fail(outcome: Outcome): void {
    const requester = this.#requester;
    this.#requester = undefined;
    this.stream.destroy();
    requester?.failed(outcome, true);
  }

  #clientOf(): ClientConnection {
    return (this.#requester as Exchange).client;
  }
}
