/** The client's side: reads requests one after the other, hands each to an exchange, and takes what it sends back. */
import { COMPLETE, INCOMPLETE, problemOf } from '../http1/verdict.ts';
import type { ByteStream, StreamOwner } from '../socket/byte-stream.ts';
import type { Timed } from '../socket/sweeper.ts';
import { BodyReading } from './body-reading.ts';
import type { ClientIdentity } from './client-identity.ts';
import { State } from './client-state.ts';
import { Exchange } from './exchange.ts';
import type { FilterRun } from './filters/filter-run.ts';
import type { ResponseBody, ResponseBodyOwner } from './filters/response-body.ts';
import type { EngineHost } from './host.ts';
import { LocalReplies } from './local-replies.ts';
import { RequestAccount } from './request-account.ts';
import { sendThrough } from './tunnel.ts';
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
  readonly exchange: Exchange;
  readonly intake: RequestIntake;
  readonly reading: BodyReading;
  readonly replies: LocalReplies;
  state: State = State.idle;
  /** Of the request at hand. */
  minor: 0 | 1 = 1;
  /** Is there another request after the response? */
  keepAlive = true;
  /** Of the response at hand, while filters change its body. */
  response: ResponseBody | undefined = undefined;

  /** Does the client not take what it is sent? */
  stalls = false;

  readonly #host: EngineHost;
  #stream: ByteStream | undefined = undefined;
  /** Bytes that could not be used up yet: part of a head, or requests that came early. */
  #held: Buffer | undefined = undefined;
  /** The peer sends nothing more. */
  #ended = false;
  /** Does a filter take its time with the response? */
  #awaitsFilter = false;

  constructor(host: EngineHost, identity: ClientIdentity) {
    this.#host = host;
    this.identity = identity;
    this.account = new RequestAccount(host, identity);
    this.exchange = new Exchange(host, this);
    this.intake = new RequestIntake(host, this, this.exchange);
    this.replies = new LocalReplies(host, this);
    this.reading = new BodyReading(host, this);
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
    return this.intake.isDone;
  }

  /** Filters of the request at hand. */
  get run(): FilterRun | undefined {
    return this.intake.run;
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
    switch (this.state) {
      case State.waiting:
      case State.asking:
        // Its response is still wanted.
        return;
      case State.tunnel:
        this.exchange.connection?.stream.end();
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
    this.stalls = false;
    this.reading.moveLimit();
    if (this.response === undefined) this.exchange.connection?.resume();
    else this.response.drained();
  }

  onConnect(): void {
    // Accepted connections are there already.
  }

  onClose(): void {
    const state = this.state;
    if (state === State.body || state === State.waiting || state === State.asking)
      this.#host.counters.clientAbortCount++;
    this.state = State.closed;
    this.#held = undefined;
    this.#host.sweeper.remove(this);
    this.exchange.abort();
    this.#endRequest(this.#nowMs());
    this.#host.closed(this);
  }

  onDue(nowMs: number): void {
    this.dueAtMs = NONE;
    switch (this.state) {
      case State.idle:
        if (this.#held === undefined) this.#close();
        return;
      case State.head:
        this.replies.refuse(408);
        return;
      case State.asking:
        this.replies.reply(504, false, 'filter-timeout');
        return;
      case State.body:
        if (this.intake.awaitsFilter) this.replies.refuseBody(504, 'filter-timeout');
        else if (this.exchange.awaitsConnection || nowMs >= this.exchange.deadlineAtMs)
          this.exchange.expire();
        else this.replies.refuse(408);
        return;
      case State.waiting:
        if (this.intake.awaitsFilter) this.replies.refuseBody(504, 'filter-timeout');
        else if (this.stalls || this.#awaitsFilter) {
          this.exchange.abort();
          this.cutOff();
        } else this.exchange.expire();
        return;
      case State.tunnel:
      case State.lingering:
      case State.closed:
        this.stream.destroy();
    }
  }

  /** Closes with the next response; without a request at once, or when none has come for `idleMs`. */
  drain(idleMs = 0): void {
    this.keepAlive = false;
    if (this.state !== State.idle || this.#held !== undefined) return;
    if (idleMs <= 0) this.#close();
    else this.dueAtMs = Math.min(this.dueAtMs, this.#host.runtime.clock.nowMs() + idleMs);
  }

  // The request ------------------------------------------------------------------------------------------------------

  /** Filters take their time. @param limitMs how long; default as long as an endpoint may */
  awaitFilters(limitMs: number = NONE): void {
    this.state = State.asking;
    const { runtime, timeouts } = this.#host;
    this.dueAtMs = limitMs === NONE ? runtime.clock.nowMs() + timeouts.responseHeadMs : NONE;
  }

  /** They are ready. @returns what the client has sent meanwhile */
  filtersSettled(): Buffer {
    this.state = State.waiting;
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
    if (this.state !== State.body && this.state !== State.waiting) return;
    if (!this.reading.isPaused) this.stream.resume();
    if (this.#ended && this.state === State.body) this.stream.destroy();
  }

  /** Some of it has come. */
  bodyTaken(): void {
    this.dueAtMs = NONE;
    if (this.intake.isTaken) this.state = State.waiting;
    else this.reading.moveLimit();
  }

  // The response -----------------------------------------------------------------------------------------------------

  /** The proxy's own answer comes next. @returns does the connection end with it? */
  beginReply(closes: boolean): boolean {
    this.state = State.waiting;
    this.dueAtMs = NONE;
    if (closes || this.minor === 0 || !this.intake.isTaken) this.keepAlive = false;
    return !this.keepAlive;
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
      this.exchange.deadlineAtMs,
      runtime.clock.nowMs() + timeouts.bodyIdleMs,
    );
  }

  responseReady(): void {
    this.#awaitsFilter = false;
    if (!this.stalls) this.reading.moveLimit();
  }

  responseFiltered(): void {
    if (this.exchange.isActive) this.exchange.complete();
    else this.responseDone();
  }

  responseFailed(error: unknown): void {
    this.#host.runtime.logger.error({ error }, 'a filter of a response body threw');
    this.exchange.abort();
    this.cutOff();
  }

  /** A write did not go out at once: the client has this long to read. */
  stalled(): void {
    this.stalls = true;
    this.dueAtMs = this.#nowMs() + this.#host.timeouts.sendStallMs;
  }

  /** The response has been handed to the stream. */
  responseDone(nowMs: number = this.#nowMs()): void {
    if (this.state === State.closed) return;
    this.#endRequest(nowMs);
    // Requests that came before the end of the client's bytes are still answered.
    const isLast = this.#ended && this.#held === undefined;
    if (!this.keepAlive || !this.intake.isTaken || isLast) {
      this.#close();
      return;
    }
    this.state = State.idle;
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
    if (this.state === State.closed) return;
    this.#host.counters.truncatedCount++;
    this.account.reason ??= 'truncated';
    this.#endRequest(this.#nowMs());
    this.stream.reset();
  }

  /** The endpoint switched protocols: bytes pass as they come from now on. */
  switchProtocol(): void {
    this.state = State.tunnel;
    this.dueAtMs = NONE;
    const held = this.#held;
    this.#held = undefined;
    this.stream.resume();
    if (held !== undefined) sendThrough(this.#host, this, held);
    if (this.#ended) this.exchange.connection?.stream.end();
  }

  // The connection ---------------------------------------------------------------------------------------------------

  #endRequest(nowMs: number): void {
    this.intake.end();
    this.response?.close();
    this.response = undefined;
    this.exchange.kind.forget();
    this.exchange.answered = false;
    this.reading.forget();
    this.stalls = this.#awaitsFilter = false;
    this.account.end(nowMs);
  }

  #resumeWith(held: Buffer): void {
    if (this.state !== State.idle) return;
    this.stream.resume();
    this.#consume(held, 0, held.length);
    if (this.#ended && this.#isWithinRequest()) this.stream.destroy();
  }

  /** Is a part of a request here, and the rest to come? */
  #isWithinRequest(): boolean {
    return this.state === State.head || this.state === State.body;
  }

  #consume(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      switch (this.state) {
        case State.idle:
        case State.head: {
          const head = this.#host.requestHead;
          const verdict = head.read(bytes, at, to);
          if (verdict === INCOMPLETE) {
            this.#holdHead(bytes, at, to);
            return;
          }
          if (verdict !== COMPLETE) {
            this.replies.refuse(problemOf(verdict)?.status ?? 400);
            return;
          }
          this.minor = head.minor;
          this.keepAlive = head.keepsConnection && !this.#host.draining;
          this.state = State.waiting;
          this.dueAtMs = NONE;
          at = this.intake.begin(head, bytes, to);
          break;
        }
        case State.body:
          at = this.intake.take(bytes, at, to);
          break;
        case State.waiting:
        case State.asking:
          this.#hold(bytes, at, to);
          if ((this.#held?.length ?? 0) >= MAX_PIPELINED_BYTES) this.stream.pause();
          return;
        case State.tunnel:
          sendThrough(this.#host, this, bytes.subarray(at, to));
          return;
        case State.lingering:
        case State.closed:
          return;
      }
    }
  }

  #holdHead(bytes: Buffer, from: number, to: number): void {
    this.#hold(bytes, from, to);
    if (this.state === State.head) return;
    this.state = State.head;
    this.dueAtMs = this.#nowMs() + this.#host.timeouts.headMs;
  }

  #hold(bytes: Buffer, from: number, to: number): void {
    const rest = bytes.subarray(from, to);
    this.#held = this.#held === undefined ? Buffer.from(rest) : Buffer.concat([this.#held, rest]);
  }

  #nowMs(): number {
    return this.#host.runtime.clock.nowMs();
  }

  #close(): void {
    if (this.state === State.closed) return;
    this.#held = undefined;
    this.stream.end();
    if (this.#ended) return;
    this.state = State.lingering;
    this.dueAtMs = this.#nowMs() + LINGER_MS;
    this.stream.resume();
  }
}
