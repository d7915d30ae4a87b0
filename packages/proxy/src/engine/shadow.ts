/**
 * A copy of a request for another cluster. It goes there once the whole request is here, the client's own way is never
 * held up by it, and nobody hears of what comes back.
 */
import { NO_SLOT, Outcome, outcomeOfStatus } from '@evenkeel/core';
import type { ResponseHead } from '../http1/response-head.ts';
import { pickAdmitted } from './admitted-pick.ts';
import { Attempt } from './attempt.ts';
import { Entry } from './entry.ts';
import type { EngineHost } from './host.ts';
import { Reception, type Requester } from './requester.ts';
import type { Mirror } from './route-features.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

export class Shadow implements Requester {
  readonly isUpgrade = false;
  readonly requestDone = true;
  readonly client = undefined;
  readonly isHead: boolean;

  readonly #host: EngineHost;
  readonly #mirror: Mirror;
  readonly #attempt = new Attempt();
  readonly #entry = new Entry();
  #parts: Buffer[] = [];
  #byteCount = 0;
  #isTooLarge = false;

  constructor(host: EngineHost, mirror: Mirror, isHead: boolean) {
    this.#host = host;
    this.#mirror = mirror;
    this.isHead = isHead;
  }

  /** @returns undefined for a request that is not mirrored */
  static of(host: EngineHost, mirror: Mirror, isHead: boolean): Shadow | undefined {
    const isDrawn = host.runtime.random.nextInt32() >>> 0 < mirror.share;
    return isDrawn ? new Shadow(host, mirror, isHead) : undefined;
  }

  /** A part of the message as it goes to the endpoint. @param isLast then it is sent */
  add(bytes: Buffer, isLast: boolean): void {
    if (this.#isTooLarge) return;
    this.#byteCount += bytes.length;
    if (this.#byteCount > this.#mirror.maxBytes) {
      this.#isTooLarge = true;
      this.#host.counters.mirrorDropCount++;
      this.#parts = [];
      return;
    }
    this.#parts.push(bytes);
    if (isLast) this.#send();
  }

  connecting(connection: UpstreamConnection): void {
    this.#attempt.over(connection);
  }

  connected(connection: UpstreamConnection): void {
    this.#attempt.over(connection);
    connection.begin(this);
    connection.stream.write(Buffer.concat(this.#parts));
    this.#parts = [];
    connection.requestSent(true);
  }

  upstreamDrained(): void {
    // All of it was handed over at once.
  }

  answer({ status }: ResponseHead): Reception {
    this.#attempt.outcome = outcomeOfStatus(status, false);
    if (this.#attempt.outcome === Outcome.success) this.#attempt.respond(this.#nowMs());
    return Reception.drop;
  }

  received(): void {
    this.#end(this.#attempt.outcome);
  }

  complete(): void {
    this.received();
  }

  tunnelClosed(): void {
    // It never becomes one.
  }

  failed(outcome: Outcome): void {
    this.#end(outcome);
  }

  #send(): void {
    const { counters } = this.#host;
    const { upstream } = this.#mirror;
    const nowMs = this.#nowMs();
    if (this.#entry.enter(upstream.cluster, nowMs) !== undefined) {
      counters.mirrorDropCount++;
      return;
    }
    const slot = pickAdmitted(upstream.cluster, this.#entry.admission, {}, nowMs);
    if (slot === NO_SLOT) {
      counters.mirrorDropCount++;
      this.#entry.leave(Outcome.cancelled, nowMs, nowMs);
      return;
    }
    const attempt = this.#attempt;
    attempt.start(upstream, this.#entry.admission, slot, nowMs);
    const taken = attempt.take(this);
    if (taken === 'queued' || taken === 'full') {
      // Requests that somebody waits for come first.
      counters.mirrorDropCount++;
      attempt.drop(this, Outcome.cancelled, nowMs);
      this.#entry.leave(Outcome.cancelled, nowMs, nowMs);
      return;
    }
    counters.mirrorCount++;
    if (taken.isReady) this.connected(taken);
  }

  #end(outcome: Outcome): void {
    const { startedAtMs } = this.#attempt;
    const nowMs = this.#nowMs();
    this.#attempt.finish(outcome, nowMs);
    this.#entry.leave(outcome, startedAtMs, nowMs);
  }

  #nowMs(): number {
    return this.#mirror.upstream.cluster.nowMs();
  }
}
