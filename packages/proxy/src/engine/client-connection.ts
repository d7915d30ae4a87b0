/** The client's side: reads requests one after the other, hands each to an exchange, and takes what it sends back. */
import { bodyKindOf, BodyPump } from '../http1/body-pump.ts';
import { ascii } from '../http1/byte-class.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { isMethod } from '../http1/request-target.ts';
import { COMPLETE, INCOMPLETE, problemOf } from '../http1/verdict.ts';
import type { ByteStream, StreamOwner } from '../socket/byte-stream.ts';
import type { Timed } from '../socket/sweeper.ts';
import { choose } from './choice.ts';
import type { ClientIdentity } from './client-identity.ts';
import { State } from './client-state.ts';
import { Exchange } from './exchange.ts';
import type { EngineHost } from './host.ts';
import { type LocalAnswer, plainAnswer } from './local-answer.ts';
import type { Refusal } from './refusal.ts';
import { RequestAccount } from './request-account.ts';
import { writeRequestHead } from './request-writer.ts';

/** Most bytes of further requests that are held while one is answered; reading stops then. */
const MAX_PIPELINED_BYTES = 65_536;

/** How long a client that was told to go may go on sending. */
const LINGER_MS = 1_000;

const CONNECT = ascii('connect');
const NONE = Number.POSITIVE_INFINITY;

export class ClientConnection implements StreamOwner, Timed {
  dueAtMs: number;
  sweepIndex = -1;
  readonly identity: ClientIdentity;
  readonly account: RequestAccount;
  /** Of the request at hand. */
  minor: 0 | 1 = 1;
  /** Is there another request after the response? */
  keepAlive = true;

  readonly #host: EngineHost;
  readonly #exchange: Exchange;
  readonly #pump = new BodyPump();
  #stream: ByteStream | undefined = undefined;
  #state: State = State.idle;
  /** Bytes that could not be used up yet: part of a head, or requests that came early. */
  #held: Buffer | undefined = undefined;
  /** The peer sends nothing more. */
  #ended = false;

  constructor(host: EngineHost, identity: ClientIdentity) {
    this.#host = host;
    this.identity = identity;
    this.account = new RequestAccount(host.observer, identity);
    this.#exchange = new Exchange(host, this);
    // Someone who connects and says nothing has as long as someone who is slow to say it.
    this.dueAtMs = host.runtime.clock.nowMs() + host.timeouts.headMs;
  }

  /** Right after the stream was made, before its first event. */
  attach(stream: ByteStream): void {
    this.#stream = stream;
  }

  get stream(): ByteStream {
    return this.#stream as ByteStream;
  }

  /** Is the whole request here? */
  get requestDone(): boolean {
    return this.#pump.done;
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
    this.#ended = true;
    switch (this.#state) {
      case State.waiting:
        // Its response is still wanted.
        return;
      case State.tunnel:
        this.#exchange.endTunnel();
        return;
      case State.lingering:
      case State.idle:
        this.#close();
        return;
      case State.head:
      case State.body:
      case State.closed:
        // A request that will never be whole.
        this.stream.destroy();
    }
  }

  onDrain(): void {
    this.#moveLimit();
    this.#exchange.clientDrained();
  }

  onConnect(): void {
    // Accepted connections are there already.
  }

  onClose(): void {
    const wasActive = this.#state === State.body || this.#state === State.waiting;
    if (wasActive) this.#host.counters.clientAbortCount++;
    this.#state = State.closed;
    this.#held = undefined;
    this.#host.sweeper.remove(this);
    this.#exchange.abort();
    this.account.end(this.#host.runtime.clock.nowMs());
    this.#host.closed(this);
  }

  onDue(): void {
    this.dueAtMs = NONE;
    switch (this.#state) {
      case State.idle:
        if (this.#held === undefined) this.#close();
        return;
      case State.head:
        this.#refuse(408);
        return;
      case State.body:
        if (this.#exchange.awaitsConnection) this.#exchange.expire();
        else this.#refuse(408);
        return;
      case State.waiting:
        this.#exchange.expire();
        return;
      case State.tunnel:
      case State.lingering:
      case State.closed:
        this.stream.destroy();
    }
  }

  /** The proxy closes: at once when nothing is under way, else with the next response. */
  drain(): void {
    if (this.#state === State.idle && this.#held === undefined) this.#close();
    else this.keepAlive = false;
  }

  /** A write did not go out at once: the client has this long to read. */
  stalled(): void {
    this.dueAtMs = this.#host.runtime.clock.nowMs() + this.#host.timeouts.sendStallMs;
  }

  /** Pauses reading because the endpoint does not keep up with the request's body, or is not there yet. */
  pauseBody(): void {
    if (this.#state !== State.body && this.#state !== State.tunnel) return;
    this.stream.pause();
    // Not the client's time.
    this.dueAtMs = this.#exchange.deadlineAtMs;
  }

  resumeBody(): void {
    if (this.#state !== State.body && this.#state !== State.tunnel) return;
    this.stream.resume();
    this.#moveLimit();
  }

  /** The request waits for a connection: as long as for one that is being made. */
  limitWait(): void {
    const { runtime, timeouts } = this.#host;
    this.dueAtMs = Math.min(
      this.#exchange.deadlineAtMs,
      runtime.clock.nowMs() + timeouts.connectMs,
    );
  }

  /** The endpoint switched protocols: bytes pass as they come from now on. */
  switchProtocol(): void {
    this.#state = State.tunnel;
    this.dueAtMs = NONE;
    const held = this.#held;
    this.#held = undefined;
    this.stream.resume();
    if (held !== undefined) this.#exchange.sendTunnel(held, 0, held.length);
    if (this.#ended) this.#exchange.endTunnel();
  }

  /** Refuses from here. */
  reply(status: number, closes: boolean, reason: Refusal): void {
    this.#host.counters.refusals[reason]++;
    this.account.reason = reason;
    this.#answer(plainAnswer(status), closes);
  }

  #answer(answer: LocalAnswer, closes: boolean): void {
    const { account } = this;
    this.#host.counters.localReplyCount++;
    this.#host.counters.countStatus(answer.status);
    const ends = closes || !this.keepAlive || !this.requestDone || this.minor === 0;
    if (ends) this.keepAlive = false;
    const bytes = answer.bytesWith(account.id.line, ends, this.#exchange.isHead);
    account.status = answer.status;
    account.bytesOut += bytes.length;
    this.stream.write(bytes);
    this.responseDone();
  }

  /** The response has been handed to the stream. */
  responseDone(): void {
    if (this.#state === State.closed) return;
    const nowMs = this.#host.runtime.clock.nowMs();
    this.account.end(nowMs);
    // Requests that came before the end of the client's bytes are still answered.
    const isLast = this.#ended && this.#held === undefined;
    if (!this.keepAlive || !this.#pump.done || isLast) {
      this.#close();
      return;
    }
    this.#state = State.idle;
    this.dueAtMs = nowMs + this.#host.timeouts.keepAliveMs;
    const held = this.#held;
    if (held === undefined) {
      this.stream.resume();
      return;
    }
    this.#held = undefined;
    // Not in the stack of the response: many requests may have come early.
    this.#host.runtime.scheduler.soon(() => this.#resumeWith(held));
  }

  /** The response cannot be completed: the client must not take what it has for the whole. */
  cutOff(): void {
    if (this.#state === State.closed) return;
    this.#host.counters.truncatedCount++;
    this.account.end(this.#host.runtime.clock.nowMs());
    this.stream.reset();
  }

  #resumeWith(held: Buffer): void {
    if (this.#state !== State.idle) return;
    this.stream.resume();
    this.#consume(held, 0, held.length);
    if (this.#ended && this.#isWithinRequest()) this.stream.destroy();
  }

  /** Is a part of a request here, and the rest to come? */
  #isWithinRequest(): boolean {
    return this.#state === State.head || this.#state === State.body;
  }

  #consume(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      switch (this.#state) {
        case State.idle:
        case State.head: {
          const verdict = this.#host.requestHead.read(bytes, at, to);
          if (verdict === INCOMPLETE) {
            this.#holdHead(bytes, at, to);
            return;
          }
          if (verdict !== COMPLETE) {
            this.#refuse(problemOf(verdict)?.status ?? 400);
            return;
          }
          at = this.#begin(this.#host.requestHead, bytes, to);
          break;
        }
        case State.body:
          at = this.#pumpBody(bytes, at, to);
          break;
        case State.waiting:
          this.#hold(bytes, at, to);
          if ((this.#held?.length ?? 0) >= MAX_PIPELINED_BYTES) this.stream.pause();
          return;
        case State.tunnel:
          this.#exchange.sendTunnel(bytes, at, to);
          return;
        case State.lingering:
        case State.closed:
          return;
      }
    }
  }

  /** A head is complete, and some of its body may be there. @returns where what was used up ends */
  #begin(head: RequestHead, bytes: Buffer, to: number): number {
    const { counters, output, view, routes, runtime, viaLine } = this.#host;
    counters.requestCount++;
    this.minor = head.minor;
    this.keepAlive = head.keepsConnection && !this.#host.draining;
    const { chunked, contentLength } = head.semantics;
    const bodyKind = bodyKindOf(chunked, contentLength);
    this.#pump.begin(bodyKind, contentLength, chunked);
    this.#state = State.waiting;
    this.dueAtMs = NONE;
    const exchange = this.#exchange;
    const { account, identity } = this;
    exchange.read(head, bytes);
    const request = view.show(bytes, identity);
    account.open(request);
    if (isMethod(bytes, head.from, head.methodTo, CONNECT)) {
      this.reply(405, true, 'method');
      return to;
    }
    const route = routes.find(request);
    const choice = route && choose(route, { request, exchange, logger: runtime.logger });
    if (choice !== undefined) account.enter(choice.meter);
    output.begin();
    if (choice?.kind === 'target') {
      const { isUpgrade } = exchange;
      const rewrite = route?.rewrite;
      const idLine = account.id.line;
      const outgoing = { identity, bodyKind, isUpgrade, viaLine, idLine, rewrite };
      writeRequestHead(output, head, bytes, outgoing);
    }
    const at = this.#pump.pump(bytes, head.end, to, output);
    account.bytesIn += at - head.from;
    if (this.#pump.problem !== 0) {
      this.#refuse(400);
      return to;
    }
    if (choice?.kind !== 'target') {
      if (choice !== undefined) this.#answer(choice.answer, false);
      else if (route === undefined) this.reply(404, false, 'no-route');
      else this.reply(500, false, 'internal');
      return at;
    }
    if (!this.#pump.done) {
      this.#state = State.body;
      this.#moveLimit();
    }
    exchange.begin(choice, output.take());
    return at;
  }

  #pumpBody(bytes: Buffer, from: number, to: number): number {
    const output = this.#host.output.begin();
    const at = this.#pump.pump(bytes, from, to, output);
    this.account.bytesIn += at - from;
    if (this.#pump.problem !== 0) {
      this.#exchange.abort();
      this.#refuse(400);
      return to;
    }
    this.dueAtMs = NONE;
    if (this.#pump.done) this.#state = State.waiting;
    else this.#moveLimit();
    this.#exchange.sendBody(output, this.#pump.done);
    return at;
  }

  /** A message that breaks a rule, or does not come: nothing after it can be trusted. */
  #refuse(status: number): void {
    this.#host.counters.badRequestCount++;
    if (this.#exchange.answered) {
      this.cutOff();
      return;
    }
    this.#exchange.abort();
    if (!this.account.isOpen) this.account.open(undefined);
    this.reply(status, true, status === 408 ? 'request-timeout' : 'bad-request');
  }

  #holdHead(bytes: Buffer, from: number, to: number): void {
    this.#hold(bytes, from, to);
    if (this.#state === State.head) return;
    this.#state = State.head;
    this.dueAtMs = this.#host.runtime.clock.nowMs() + this.#host.timeouts.headMs;
  }

  #hold(bytes: Buffer, from: number, to: number): void {
    const rest = bytes.subarray(from, to);
    this.#held = this.#held === undefined ? Buffer.from(rest) : Buffer.concat([this.#held, rest]);
  }

  #moveLimit(): void {
    const { bodyIdleMs } = this.#host.timeouts;
    this.dueAtMs =
      this.#state === State.body
        ? this.#host.runtime.clock.nowMs() + bodyIdleMs
        : this.#exchange.deadlineAtMs;
  }

  #close(): void {
    if (this.#state === State.closed) return;
    this.#held = undefined;
    this.stream.end();
    if (this.#ended) return;
    this.#state = State.lingering;
    this.dueAtMs = this.#host.runtime.clock.nowMs() + LINGER_MS;
    this.stream.resume();
  }
}
