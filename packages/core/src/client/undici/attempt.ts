/**
 * One try of a request on one endpoint: counts it, listens to the connection and ends the count exactly once, whichever
 * of { response end, error, upgraded socket closed, error before the start, time limit, caller's abort } comes first.
 *
 * ```text
 *            ┌────────── live ──────────┐
 *   response │ refused      given up    │
 *            ▼                          ▼
 *        discarding                 abandoned          both: nothing reaches the caller any more
 * ```
 *
 * undici keeps no handle on a request that waits for a connection. An abandoned try therefore stays in the queue, and
 * throws when its turn comes: undici then drops it before anything is written, and the connection serves the next.
 */
import type { Duplex } from 'node:stream';
import { readLoadReport } from '../../load-report/read-load-report.ts';
import { Outcome, outcomeOfStatus, RESPONDED } from '../../model/outcome.ts';
import { outcomeOfGrpcCode } from '../../resilience/grpc-code.ts';
import { grpcPushbackMs, retryAfterMs } from '../../resilience/retry-after.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Timer } from '../../runtime/scheduler.ts';
import { outcomeOfError } from './failure.ts';
import { grpcCodeOf } from './grpc-answer.ts';
import type { Controller, Handler, HeaderRecord } from './handler.ts';
import type { DispatchableCluster } from './route-options.ts';

/** What a try reports to, while it is live. */
export interface AttemptOwner {
  readonly cluster: DispatchableCluster;
  readonly host: AttemptHost;
  /** Is the body sent piece by piece, at the caller's pace? */
  readonly streaming: boolean;
  onBodySent(attempt: Attempt, chunk: Buffer): void;
  onRequestSent(attempt: Attempt): void;
  onResponseStarted(attempt: Attempt): void;
  /** Headers of a final or informational response are there: {@link Attempt.status} and the like. */
  onHeaders(attempt: Attempt): void;
  onData(attempt: Attempt, chunk: Buffer): void;
  onEnd(attempt: Attempt, trailers: HeaderRecord): void;
  onUpgraded(attempt: Attempt, socket: Duplex): void;
  onFailed(attempt: Attempt, error: Error): void;
}

export interface AttemptHost {
  readonly runtime: Pick<Runtime, 'clock' | 'scheduler'>;
  /** Are connections breaking because this client breaks them? */
  readonly destroyed: boolean;
}

/** Whatever carries a try: it looks after its sockets until they change their protocol. */
export interface Carrier {
  /** The socket changed its protocol and belongs to the caller now. */
  release(socket: Duplex): void;
  /** No answer came in time over a connection that carries other requests, too. */
  suspect(): void;
}

const LIVE = 0;
const DISCARDING = 1;
const ABANDONED = 2;

/** Most bytes of an unwanted response that are read so that its connection can be used again. */
const MAX_DISCARDED_BYTES = 65_536;

/** Longest time that an unwanted response may go on arriving. */
const MAX_DISCARD_MS = 1_000;

const NO_HEADERS: HeaderRecord = Object.freeze({});

/** Owner of a try that has ended; never called. */
const NOBODY = Object.freeze({}) as AttemptOwner;

/** Thrown to undici at the start of an abandoned try; never seen by anyone. */
const GIVEN_UP = new Error('evenkeel: this try was given up before it began');

export class Attempt implements Handler {
  readonly slot: number;
  /** Cluster time. */
  readonly startedAtMs: number;
  /** Has a connection taken the request? Before that, nothing of it was sent. */
  started = false;
  carrier: Carrier | undefined = undefined;
  /** When its time is over, in cluster time. */
  dueAtMs: number = Number.POSITIVE_INFINITY;
  /** Was it counted as a further try on entry? */
  extra = false;
  /** Did it begin while another try was running? */
  hedge = false;

  /** What the response headers said; undefined before them. */
  status: number | undefined = undefined;
  headers: HeaderRecord = NO_HEADERS;
  statusText: string | undefined = undefined;
  /** Status of gRPC, when the headers are all of the answer. */
  grpcCode: number | undefined = undefined;
  /** Delay that the response asked for with `Retry-After`. */
  retryAfterMs: number | undefined = undefined;
  /** Delay that the response asked for in gRPC's way. */
  pushbackMs: number | undefined = undefined;
  /** How it ended, or how the headers make it look. */
  outcome: Outcome = Outcome.success;
  /** Time to the response headers, or to the end without any; 0 before. */
  latencyMs = 0;
  /** Did it end before its response was complete? */
  broken = false;

  #owner: AttemptOwner;
  readonly #cluster: DispatchableCluster;
  readonly #streaming: boolean;
  #mode: typeof LIVE | typeof DISCARDING | typeof ABANDONED = LIVE;
  #controller: Controller | null = null;
  /** When the body was begun, then how long sending it took: the caller's pace is no fault of the endpoint. */
  #bodyBegunAtMs = 0;
  #uploadMs = 0;
  #sent = false;
  #answered = false;
  /** Was the latency of a good answer reported already? */
  #responded = false;
  /** Is it counted as waiting for a connection? */
  #pending = false;
  #discardedBytes = 0;
  #discardLimit: Timer | undefined = undefined;
  #settled = false;

  /** Counts the request on the endpoint. */
  constructor(owner: AttemptOwner, slot: number, nowMs: number) {
    this.slot = slot;
    this.startedAtMs = nowMs;
    this.#owner = owner;
    this.#cluster = owner.cluster;
    this.#streaming = owner.streaming;
    this.#cluster.start(slot, nowMs);
  }

  /** The live connection's controller, null while waiting for one. */
  get controller(): Controller | null {
    return this.#controller;
  }

  /**
   * Sets {@link dueAtMs} anew: a body that is still being sent is the caller's time, and the endpoint's begins afterwards.
   *
   * @returns is there any time left?
   */
  extend(nowMs: number, limitMs: number): boolean {
    const uploading = this.#streaming && this.started && !this.#sent;
    this.dueAtMs = (uploading ? nowMs : this.startedAtMs + this.#uploadMs) + limitMs;
    return this.dueAtMs > nowMs;
  }

  /** Has it ended, as far as the endpoint's counts go? */
  get settled(): boolean {
    return this.#settled;
  }

  /** Counts the request as waiting, if no connection has taken it yet. @returns false when too many wait already */
  waitsWell(): boolean {
    const { admission } = this.#cluster;
    if (admission === undefined || this.started || this.#settled) return true;
    this.#pending = admission.tryPending();
    return this.#pending;
  }

  /** Ends the try without another word to its owner. */
  abandon(outcome: Outcome, reason: Error): void {
    if (this.#mode !== LIVE) return;
    this.#mode = ABANDONED;
    this.broken = true;
    this.#settle(outcome, this.#cluster.nowMs());
    this.#controller?.abort(reason);
    this.#letGo();
  }

  /** Swallows the rest of an unwanted response, so that the connection can be used again. */
  discard(): void {
    if (this.#mode !== LIVE) return;
    this.#mode = DISCARDING;
    this.#settle(this.outcome, this.#cluster.nowMs());
    // A trickling error page must not hold its connection, nor close(), for long.
    const { scheduler } = this.#owner.host.runtime;
    this.#discardLimit = scheduler.after(MAX_DISCARD_MS, () => this.#controller?.abort(GIVEN_UP));
  }

  onRequestStart(controller: Controller): void {
    if (this.#mode === ABANDONED) throw GIVEN_UP;
    // HTTP/2 may start a request again on another session; only the latest controller counts.
    this.#controller = controller;
    this.started = true;
    if (this.#pending) this.#endPending();
    if (this.#streaming) this.#bodyBegunAtMs = this.#cluster.nowMs();
  }

  onBodySent(chunk: Buffer): void {
    if (this.#mode === LIVE) this.#owner.onBodySent(this, chunk);
  }

  onRequestSent(): void {
    this.#sent = true;
    if (this.#streaming) this.#uploadMs = this.#cluster.nowMs() - this.#bodyBegunAtMs;
    if (this.#mode === LIVE) this.#owner.onRequestSent(this);
  }

  onResponseStarted(): void {
    if (this.#mode === LIVE) this.#owner.onResponseStarted(this);
  }

  // oxlint-disable-next-line max-params -- undici's signature
  onResponseStart(
    controller: Controller,
    status: number,
    headers: HeaderRecord,
    statusText?: string,
  ): void {
    if (this.#mode !== LIVE) return;
    this.#controller = controller;
    this.status = status;
    this.headers = headers;
    this.statusText = statusText;
    if (status >= 200) this.#judge(status, headers);
    this.#owner.onHeaders(this);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#mode === LIVE) {
      this.#owner.onData(this, chunk);
    } else if (this.#mode === DISCARDING) {
      this.#discardedBytes += chunk.length;
      if (this.#discardedBytes > MAX_DISCARDED_BYTES) controller.abort(GIVEN_UP);
    }
  }

  onResponseEnd(_controller: Controller, trailers: HeaderRecord): void {
    if (!this.#settled) {
      const nowMs = this.#cluster.nowMs();
      if (this.#cluster.usesLoadReports) this.#report(trailers, nowMs);
      // gRPC tells how a call went after its messages.
      const code = grpcCodeOf(this.headers, trailers);
      if (code !== undefined && code !== 0) this.outcome = outcomeOfGrpcCode(code);
      this.#settle(this.outcome, nowMs);
    }
    if (this.#mode === LIVE) this.#owner.onEnd(this, trailers);
    this.#discardLimit?.cancel();
    this.#letGo();
  }

  // oxlint-disable-next-line max-params -- undici's signature
  onRequestUpgrade(
    controller: Controller,
    status: number,
    headers: HeaderRecord,
    socket: Duplex,
  ): void {
    if (this.#mode !== LIVE) {
      socket.destroy();
      return;
    }
    this.#controller = controller;
    this.status = status;
    this.headers = headers;
    this.carrier?.release(socket);
    // The handshake is an answer like any other; how long the peers talk afterwards says nothing about the endpoint,
    // but counts as a request in flight. CONNECT may be refused, and comes here all the same.
    this.#judge(status, headers);
    if (this.outcome === Outcome.success) {
      socket.once('close', () => this.#settle(Outcome.success, this.#cluster.nowMs()));
    } else this.#settle(this.outcome, this.#cluster.nowMs());
    // Should the owner throw, undici reports the error back to this try.
    this.#owner.onUpgraded(this, socket);
    this.#letGo();
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    this.#discardLimit?.cancel();
    if (this.#mode !== LIVE) return;
    const outcome = this.#owner.host.destroyed
      ? Outcome.cancelled
      : outcomeOfError(error, this.started);
    this.broken = true;
    this.#settle(outcome, this.#cluster.nowMs());
    this.#owner.onFailed(this, error);
    this.#letGo();
  }

  /**
   * undici and its sockets hold on to a handler for a while after its end. Without the exchange and the caller's handler
   * hanging on it, less of what they hold survives into V8's old generation.
   */
  #letGo(): void {
    this.#mode = ABANDONED;
    this.#owner = NOBODY;
    this.headers = NO_HEADERS;
    this.#controller = null;
    this.carrier = undefined;
  }

  #judge(status: number, headers: HeaderRecord): void {
    const nowMs = this.#cluster.nowMs();
    this.#answered = true;
    this.latencyMs = nowMs - this.startedAtMs - this.#uploadMs;
    if (status === 429 || status === 503) {
      this.retryAfterMs = retryAfterMs(
        headers['retry-after'],
        this.#owner.host.runtime.clock.wallMs(),
      );
      if (this.retryAfterMs !== undefined)
        this.#cluster.pushback(this.slot, this.retryAfterMs, nowMs);
    }
    this.outcome = outcomeOfStatus(status, this.retryAfterMs !== undefined);
    const code = grpcCodeOf(headers, headers);
    if (code !== undefined) this.#judgeGrpc(code, headers);
    if (this.#cluster.usesLoadReports) this.#report(headers, nowMs);
    if (this.outcome === Outcome.success) {
      this.#cluster.respond(this.slot, this.latencyMs, nowMs);
      this.#responded = true;
    }
  }

  /** The headers are the whole answer ("Trailers-Only" in gRPC over HTTP/2). */
  #judgeGrpc(code: number, headers: HeaderRecord): void {
    this.grpcCode = code;
    this.pushbackMs = grpcPushbackMs(headers['grpc-retry-pushback-ms']);
    if (code !== 0) this.outcome = outcomeOfGrpcCode(code);
  }

  #report(headers: HeaderRecord, nowMs: number): void {
    const report = readLoadReport(headers);
    if (report !== undefined) this.#cluster.report(this.slot, report, nowMs);
  }

  #endPending(): void {
    this.#pending = false;
    this.#cluster.admission?.endPending();
  }

  #settle(outcome: Outcome, nowMs: number): void {
    if (this.#settled) return;
    this.#settled = true;
    // A caller that saw a 503 and leaves the body unread has not taken the 503 back.
    if (outcome !== Outcome.cancelled || !this.#answered) this.outcome = outcome;
    if (!this.#answered) this.latencyMs = nowMs - this.startedAtMs;
    const cluster = this.#cluster;
    const latencyMs = this.#responded ? RESPONDED : this.latencyMs;
    cluster.finish(this.slot, this.outcome, latencyMs, nowMs);
    const { admission } = cluster;
    if (admission === undefined) return;
    if (this.#pending) this.#endPending();
    admission.leave(this.slot, this.outcome, this.latencyMs, nowMs, this.startedAtMs);
    if (this.extra) admission.endExtra();
  }
}
