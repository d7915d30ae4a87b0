/**
 * The time limits of a session, looked at now and then: what began is noted at the first look after it, so that nothing
 * on the way of a request has to ask for the time. A limit is noticed late by two looks at most, and never early.
 */
import type { Runtime } from '@evenkeel/core';
import type { Sweeper, Timed } from '../../socket/sweeper.ts';
import { ErrorCode } from '../http2-stream.ts';
import type { Departure } from './departure.ts';
import type { Receiver } from './receiver.ts';
import type { SessionCore } from './session-core.ts';

/** Time between two looks; a fourth of the shortest limit when that is less. */
const REVIEW_MS = 1_000;
const MIN_REVIEW_MS = 100;
/** How long a peer that did wrong has to read why. */
const LINGER_MS = 1_000;

const NEVER = Number.POSITIVE_INFINITY;

export interface Watched {
  readonly receiver: Receiver;
  readonly departure: Departure;
  /** The peer has acknowledged our settings. */
  readonly isSettled: boolean;
  /** How many times something came in. */
  readonly reads: number;
  /** Nothing is under way. */
  leaveIdle(): void;
  pongOverdue(): void;
  destroy(): void;
}

export class SessionWatch implements Timed {
  dueAtMs: number;
  sweepIndex = -1;

  readonly #core: SessionCore;
  readonly #watched: Watched;
  readonly #runtime: Pick<Runtime, 'clock'>;
  readonly #sweeper: Sweeper;
  readonly #reviewMs: number;
  /** Since when each of them holds; `NEVER` while it does not. */
  #unstartedAtMs = NEVER;
  #blockAtMs = NEVER;
  #unsettledAtMs = NEVER;
  #idleAtMs = NEVER;
  #pingAtMs = NEVER;
  #silentAtMs = NEVER;
  #reads = -1;

  constructor(
    core: SessionCore,
    watched: Watched,
    ports: { readonly runtime: Pick<Runtime, 'clock'>; readonly sweeper: Sweeper },
  ) {
    this.#core = core;
    this.#watched = watched;
    this.#runtime = ports.runtime;
    this.#sweeper = ports.sweeper;
    const { idleMs, headMs, settingsMs, sendStallMs, keepAliveMs, pingMs } = core.limits;
    const limits = [idleMs, headMs, settingsMs, sendStallMs, keepAliveMs, pingMs];
    const shortest = Math.min(...limits.filter((limit) => limit > 0));
    this.#reviewMs = Math.max(MIN_REVIEW_MS, Math.min(REVIEW_MS, shortest / 4));
    this.dueAtMs = NEVER;
  }

  start(): void {
    const nowMs = this.#runtime.clock.nowMs();
    this.#unstartedAtMs = nowMs;
    this.#unsettledAtMs = nowMs;
    this.dueAtMs = nowMs + this.#reviewMs;
    this.#sweeper.add(this);
  }

  /** Nothing is looked at any more but whether the peer closes. @param isGraceful it may still have to read a lot */
  linger(isGraceful: boolean): void {
    const limitMs = isGraceful ? this.#core.limits.sendStallMs : LINGER_MS;
    this.dueAtMs = this.#runtime.clock.nowMs() + limitMs;
  }

  stop(): void {
    this.#sweeper.remove(this);
  }

  onDue(nowMs: number): void {
    this.dueAtMs = nowMs + this.#reviewMs;
    const core = this.#core;
    const watched = this.#watched;
    if (core.isClosed) {
      watched.destroy();
      return;
    }
    const { headMs, settingsMs } = core.limits;
    this.#unstartedAtMs = since(this.#unstartedAtMs, !watched.receiver.isStarted, nowMs);
    this.#blockAtMs = since(this.#blockAtMs, watched.receiver.isInsideBlock, nowMs);
    this.#unsettledAtMs = since(this.#unsettledAtMs, !watched.isSettled, nowMs);
    if (nowMs - Math.min(this.#unstartedAtMs, this.#blockAtMs) >= headMs)
      core.failWith(ErrorCode.protocolError, 'the preface or a field block takes too long');
    else if (nowMs - this.#unsettledAtMs >= settingsMs)
      core.failWith(ErrorCode.settingsTimeout, 'settings are not acknowledged');
    else {
      this.#reviewSending(nowMs);
      this.#reviewSilence(nowMs);
      this.#reviewIdle(nowMs);
    }
  }

  /** Streams that would send, and cannot: the peer keeps their window closed, or does not read. */
  #reviewSending(nowMs: number): void {
    const core = this.#core;
    const limitMs = core.limits.sendStallMs;
    for (const stream of [...core.streams.all()]) {
      const isStalled = stream.queue.length > 0 && !stream.sentSinceReview;
      stream.sentSinceReview = false;
      stream.stalledAtMs = since(stream.stalledAtMs, isStalled, nowMs);
      if (nowMs - stream.stalledAtMs >= limitMs) stream.reset(ErrorCode.cancel);
    }
  }

  #reviewIdle(nowMs: number): void {
    const { idleMs } = this.#core.limits;
    const isIdle = this.#core.streams.busyCount === 0 && this.#watched.receiver.isStarted;
    this.#idleAtMs = since(this.#idleAtMs, isIdle, nowMs);
    if (idleMs > 0 && nowMs - this.#idleAtMs >= idleMs) this.#watched.leaveIdle();
  }

  #reviewSilence(nowMs: number): void {
    const watched = this.#watched;
    const { keepAliveMs, pingMs } = this.#core.limits;
    this.#pingAtMs = since(this.#pingAtMs, watched.departure.awaitsPong, nowMs);
    if (nowMs - this.#pingAtMs >= pingMs) {
      watched.pongOverdue();
      return;
    }
    this.#silentAtMs = since(this.#silentAtMs, watched.reads === this.#reads, nowMs);
    this.#reads = watched.reads;
    if (keepAliveMs > 0 && nowMs - this.#silentAtMs >= keepAliveMs && !watched.departure.awaitsPong)
      watched.departure.ping();
  }
}

/** Since when something holds, when it is looked at now. */
function since(beganAtMs: number, holds: boolean, nowMs: number): number {
  if (!holds) return NEVER;
  return beganAtMs === NEVER ? nowMs : beganAtMs;
}
