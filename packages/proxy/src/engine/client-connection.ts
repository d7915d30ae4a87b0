/** The client's side: reads requests one after the other, hands each to an exchange, and takes what it sends back. */
import { COMPLETE, INCOMPLETE, problemOf } from '../http1/verdict.ts';
import type { ByteStream, StreamOwner } from '../socket/byte-stream.ts';
import type { Timed } from '../socket/sweeper.ts';
import { BodyPace } from './body-pace.ts';
import type { ClientIdentity } from './client-identity.ts';
import { State } from './client-state.ts';
import { Exchange } from './exchange.ts';
import type { FilterRun, Responding } from './filters/filter-run.ts';
import type { ResponseBody, ResponseBodyOwner } from './filters/response-body.ts';
import type { EngineHost } from './host.ts';
import { type LocalAnswer, plainAnswer } from './local-answer.ts';
import { type Reply, sendFiltered, sendReply } from './local-replies.ts';
import type { Refusal } from './refusal.ts';
import { RequestAccount } from './request-account.ts';
import { RequestIntake } from './request-intake.ts';

/** Most bytes of further requests that are held while one is answered; reading stops then. */
const MAX_PIPELINED_BYTES = 65_536;

/** How long a client that was told to go may go on sending. */
const LINGER_MS = 1_000;

const NO_BYTES = Buffer.alloc(0);
const NONE = Number.POSITIVE_INFINITY;

export class ClientConnection implements StreamOwner, Timed, ResponseBodyOwner {
  dueAtMs: number;
  sweepIndex = -1;
  readonly identity: ClientIdentity;
  readonly account: RequestAccount;
  /** Of the request at hand. */
  minor: 0 | 1 = 1;
  /** Is there another request after the response? */
  keepAlive = true;
  /** Of the response at hand, while filters change its body. */
  response: ResponseBody | undefined = undefined;

  readonly #host: EngineHost;
  readonly #exchange: Exchange;
  readonly #intake: RequestIntake;
  readonly #pace = new BodyPace();
  #stream: ByteStream | undefined = undefined;
  #state: State = State.idle;
  /** Bytes that could not be used up yet: part of a head, or requests that came early. */
  #held: Buffer | undefined = undefined;
  /** The peer sends nothing more. */
  #ended = false;
  /** Does the endpoint not keep up with the request's body, or is it not there yet? */
  #awaitsEndpoint = false;
  /** Does the client not take what it is sent? */
  #stalls = false;
  /** Does a filter take its time with the response? */
  #awaitsFilter = false;

  constructor(host: EngineHost, identity: ClientIdentity) {
    this.#host = host;
    this.identity = identity;
    this.account = new RequestAccount(host, identity);
    this.#exchange = new Exchange(host, this);
    this.#intake = new RequestIntake(host, this, this.#exchange);
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

  /** Has the whole request been handed on? */
  get requestDone(): boolean {
    return this.#intake.isDone;
  }

  /** Filters of the request at hand. */
  get run(): FilterRun | undefined {
    return this.#intake.run;
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
      case State.asking:
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
    this.#stalls = false;
    this.#moveLimit();
    if (this.response === undefined) this.#exchange.clientDrained();
    else this.response.drained();
  }

  onConnect(): void {
    // Accepted connections are there already.
  }

  onClose(): void {
    const state = this.#state;
    if (state === State.body || state === State.waiting || state === State.asking)
      this.#host.counters.clientAbortCount++;
    this.#state = State.closed;
    this.#held = undefined;
    this.#host.sweeper.remove(this);
    this.#exchange.abort();
    this.#endRequest(this.#nowMs());
    this.#host.closed(this);
  }

  onDue(): void {
    this.dueAtMs = NONE;
    switch (this.#state) {
      case State.idle:
        if (this.#held === undefined) this.#close();
        return;
      case State.head:
        this.refuse(408);
        return;
      case State.asking:
        this.reply(504, false, 'filter-timeout');
        return;
      case State.body:
        if (this.#intake.awaitsFilter) this.refuseBody(504, 'filter-timeout');
        else if (this.#exchange.awaitsConnection) this.#exchange.expire();
        else this.refuse(408);
        return;
      case State.waiting:
        if (this.#intake.awaitsFilter) this.refuseBody(504, 'filter-timeout');
        else if (this.#stalls || this.#awaitsFilter) {
          this.#exchange.abort();
          this.cutOff();
        } else this.#exchange.expire();
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

  // The request ------------------------------------------------------------------------------------------------------

  /** Filters take their time. @param limitMs how long; default as long as an endpoint may */
  awaitFilters(limitMs: number = NONE): void {
    this.#state = State.asking;
    const { runtime, timeouts } = this.#host;
    this.dueAtMs = limitMs === NONE ? runtime.clock.nowMs() + timeouts.responseHeadMs : NONE;
  }

  /** They are ready. @returns what the client has sent meanwhile */
  filtersSettled(): Buffer {
    this.#state = State.waiting;
    this.dueAtMs = NONE;
    const held = this.#held;
    this.#held = undefined;
    return held ?? NO_BYTES;
  }

  /** Some of what it had sent is not of this request. */
  putBack(bytes: Buffer, from: number, to: number): void {
    if (from < to) this.#hold(bytes, from, to);
  }

  /** Reads on after filters took their time. */
  goOn(): void {
    if (this.#state !== State.body && this.#state !== State.waiting) return;
    if (!this.#awaitsEndpoint && !this.#intake.awaitsFilter) this.stream.resume();
    if (this.#ended && this.#state === State.body) this.stream.destroy();
  }

  /** More of the request is to come. */
  bodyFollows(): void {
    this.#state = State.body;
    if (this.#host.timeouts.minBodyBytesPerSecond > 0) this.#pace.begin(this.#nowMs());
    this.#moveLimit();
  }

  /** Some of it has come. */
  bodyTaken(): void {
    this.dueAtMs = NONE;
    if (this.#intake.isTaken) this.#state = State.waiting;
    else this.#moveLimit();
  }

  /** Pauses reading because the endpoint does not keep up with the request's body, or is not there yet. */
  pauseBody(): void {
    if (this.#state !== State.body && this.#state !== State.tunnel) return;
    this.#awaitsEndpoint = true;
    this.#pause();
    // Not the client's time.
    this.dueAtMs = this.#exchange.deadlineAtMs;
  }

  resumeBody(): void {
    this.#awaitsEndpoint = false;
    if (this.#intake.awaitsFilter) return;
    if (this.#state === State.waiting && !this.#stalls) this.dueAtMs = this.#exchange.deadlineAtMs;
    if (this.#state !== State.body && this.#state !== State.tunnel) return;
    this.#resume();
    this.#moveLimit();
  }

  /** A filter takes its time with the body: it may be as long as a client may be silent. */
  pauseForFilter(): void {
    if (this.#state === State.body) this.#pause();
    const { runtime, timeouts } = this.#host;
    this.dueAtMs = Math.min(
      this.#exchange.deadlineAtMs,
      runtime.clock.nowMs() + timeouts.bodyIdleMs,
    );
  }

  /** It is ready. */
  filterReady(): void {
    if (this.#state === State.body && this.#awaitsEndpoint) return;
    if (this.#state === State.body) this.#resume();
    if (this.#state === State.body || this.#state === State.waiting) this.#moveLimit();
  }

  /** The request waits for a connection: as long as for one that is being made. */
  limitWait(): void {
    const { runtime, timeouts } = this.#host;
    this.dueAtMs = Math.min(
      this.#exchange.deadlineAtMs,
      runtime.clock.nowMs() + timeouts.connectMs,
    );
  }

  /** A message that breaks a rule, or does not come: nothing after it can be trusted. */
  refuse(status: number): void {
    this.#host.counters.badRequestCount++;
    if (!this.account.isOpen) this.account.open(undefined);
    this.refuseBody(status, status === 408 ? 'request-timeout' : 'bad-request');
  }

  /** The rest of the request is not wanted. @param reason a word of a filter, or why else */
  refuseBody(status: number, reason: string): void {
    if (this.#exchange.answered) {
      this.cutOff();
      return;
    }
    this.#exchange.abort();
    this.account.reason = reason;
    if (Object.hasOwn(this.#host.counters.refusals, reason))
      this.#host.counters.refusals[reason as Refusal]++;
    else this.#host.counters.countFilterAnswer(reason);
    this.answer(plainAnswer(status), true);
  }

  // The response -----------------------------------------------------------------------------------------------------

  /** Refuses from here. */
  reply(status: number, closes: boolean, reason: Refusal): void {
    this.#host.counters.refusals[reason]++;
    this.account.reason = reason;
    this.answer(plainAnswer(status), closes);
  }

  /** A filter has the answer. @param reason its word for it */
  answerOfFilter(answer: LocalAnswer, reason: string): void {
    this.#host.counters.countFilterAnswer(reason);
    this.account.reason = reason;
    this.answer(answer, false);
  }

  /** From here. */
  answer(answer: LocalAnswer, closes: boolean): void {
    if (sendReply(this.#host, this, this.#replyOf(answer, closes))) this.responseDone();
  }

  /** A filter failed over the response of an endpoint. */
  answerInstead(answer: LocalAnswer, responding: Responding): void {
    this.#host.counters.refusals['filter-failed']++;
    this.account.reason = 'filter-failed';
    const reply = this.#replyOf(answer, false);
    if (sendFiltered(this.#host, this, reply, responding)) this.responseDone();
  }

  #replyOf(answer: LocalAnswer, closes: boolean): Reply {
    this.#state = State.waiting;
    this.dueAtMs = NONE;
    if (closes || this.minor === 0 || !this.#intake.isTaken) this.keepAlive = false;
    return { answer, closes: !this.keepAlive, isHead: this.#exchange.isHead };
  }

  /** Bytes of a response with filters went out. */
  responseSent(byteCount: number, stalls: boolean): void {
    this.account.bytesOut += byteCount;
    if (stalls) this.stalled();
  }

  /** A filter takes its time with the body: no longer than an endpoint may be silent. */
  responseWaits(): void {
    const { runtime, timeouts } = this.#host;
    this.#awaitsFilter = true;
    this.dueAtMs = Math.min(
      this.#exchange.deadlineAtMs,
      runtime.clock.nowMs() + timeouts.bodyIdleMs,
    );
  }

  responseReady(): void {
    this.#awaitsFilter = false;
    if (!this.#stalls) this.#moveLimit();
  }

  responseFiltered(): void {
    if (this.#exchange.isActive) this.#exchange.complete();
    else this.responseDone();
  }

  responseFailed(error: unknown): void {
    this.#host.runtime.logger.error({ error }, 'a filter of a response body threw');
    this.#exchange.abort();
    this.cutOff();
  }

  /** A write did not go out at once: the client has this long to read. */
  stalled(): void {
    this.#stalls = true;
    this.dueAtMs = this.#nowMs() + this.#host.timeouts.sendStallMs;
  }

  /** The response has been handed to the stream. */
  responseDone(): void {
    if (this.#state === State.closed) return;
    const nowMs = this.#nowMs();
    this.#endRequest(nowMs);
    // Requests that came before the end of the client's bytes are still answered.
    const isLast = this.#ended && this.#held === undefined;
    if (!this.keepAlive || !this.#intake.isTaken || isLast) {
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
    this.#endRequest(this.#nowMs());
    this.stream.reset();
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

  // The connection ---------------------------------------------------------------------------------------------------

  #endRequest(nowMs: number): void {
    this.#intake.end();
    this.response?.close();
    this.response = undefined;
    this.#exchange.forget();
    this.#awaitsEndpoint = false;
    this.#stalls = this.#awaitsFilter = false;
    this.account.end(nowMs);
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
          const head = this.#host.requestHead;
          const verdict = head.read(bytes, at, to);
          if (verdict === INCOMPLETE) {
            this.#holdHead(bytes, at, to);
            return;
          }
          if (verdict !== COMPLETE) {
            this.refuse(problemOf(verdict)?.status ?? 400);
            return;
          }
          this.minor = head.minor;
          this.keepAlive = head.keepsConnection && !this.#host.draining;
          this.#state = State.waiting;
          this.dueAtMs = NONE;
          at = this.#intake.begin(head, bytes, to);
          break;
        }
        case State.body:
          at = this.#intake.take(bytes, at, to);
          break;
        case State.waiting:
        case State.asking:
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

  #holdHead(bytes: Buffer, from: number, to: number): void {
    this.#hold(bytes, from, to);
    if (this.#state === State.head) return;
    this.#state = State.head;
    this.dueAtMs = this.#nowMs() + this.#host.timeouts.headMs;
  }

  #hold(bytes: Buffer, from: number, to: number): void {
    const rest = bytes.subarray(from, to);
    this.#held = this.#held === undefined ? Buffer.from(rest) : Buffer.concat([this.#held, rest]);
  }

  #moveLimit(): void {
    if (this.#state !== State.body) {
      this.dueAtMs = this.#exchange.deadlineAtMs;
      return;
    }
    const { timeouts } = this.#host;
    this.dueAtMs = this.#nowMs() + timeouts.bodyIdleMs;
    if (timeouts.minBodyBytesPerSecond === 0) return;
    const dueAtMs = this.#pace.dueAtMs(this.#intake.bodyByteCount, timeouts);
    this.dueAtMs = Math.min(this.dueAtMs, dueAtMs);
  }

  /** Reads no more of the body for now. */
  #pause(): void {
    this.stream.pause();
    if (this.#host.timeouts.minBodyBytesPerSecond > 0) this.#pace.pause(this.#nowMs());
  }

  #resume(): void {
    this.stream.resume();
    if (this.#host.timeouts.minBodyBytesPerSecond > 0) this.#pace.resume(this.#nowMs());
  }

  #nowMs(): number {
    return this.#host.runtime.clock.nowMs();
  }

  #close(): void {
    if (this.#state === State.closed) return;
    this.#held = undefined;
    this.stream.end();
    if (this.#ended) return;
    this.#state = State.lingering;
    this.dueAtMs = this.#nowMs() + LINGER_MS;
    this.stream.resume();
  }
}
