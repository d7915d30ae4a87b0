/** The hedges of one request: further endpoints that are asked while the first one takes long. */
import { NO_SLOT, Outcome, outcomeOfStatus, type Timer } from '@evenkeel/core';
import type { Admission, HedgePolicy, RetryPolicy } from '@evenkeel/core/resilience';
import type { ResponseHead } from '../http1/response-head.ts';
import { Attempt } from './attempt.ts';
import type { Exchange } from './exchange.ts';
import type { EngineHost } from './host.ts';
import { Reception, type Requester } from './requester.ts';
import type { Upstream } from './route.ts';
import { type AskedEndpoint, traced } from './traced-try.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

export interface HedgePorts {
  readonly host: EngineHost;
  readonly exchange: Exchange;
  readonly policy: HedgePolicy;
  readonly upstream: Upstream;
  /** Says which answers are none. */
  readonly retry: RetryPolicy;
}

export class Hedges {
  readonly ports: HedgePorts;
  readonly #admission: Admission | undefined;
  readonly #startedAtMs: number;
  readonly #tries = new Set<HedgeTry>();
  #timer: Timer | undefined = undefined;
  /** Hedges so far. */
  #used = 0;
  /** Has the first try failed? How long that took says nothing then. */
  #isLost = false;

  /** Right after the first try has begun. */
  constructor(ports: HedgePorts, admission: Admission | undefined, nowMs: number) {
    this.ports = ports;
    this.#admission = admission;
    this.#startedAtMs = nowMs;
    this.#wait(nowMs);
  }

  /** The first try has failed: one of the others takes its place. */
  promote(exchange: Exchange): Attempt | undefined {
    this.#isLost = true;
    for (const hedge of this.#tries) {
      this.#tries.delete(hedge);
      hedge.attempt.connection?.belongTo(exchange);
      return hedge.attempt;
    }
    return undefined;
  }

  /** An answer is there, from whomever. A first try that lost was at least as slow. */
  settle(nowMs: number): void {
    if (!this.#isLost) this.ports.policy.observe(nowMs - this.#startedAtMs);
    this.close();
  }

  /** None of them is wanted any more. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const nowMs = this.ports.upstream.cluster.nowMs();
    for (const hedge of this.#tries) hedge.attempt.drop(hedge, Outcome.cancelled, nowMs);
    this.#tries.clear();
  }

  /** @returns was it one of those that are still wanted? */
  remove(hedge: HedgeTry): boolean {
    return this.#tries.delete(hedge);
  }

  #wait(nowMs: number): void {
    const { host, policy } = this.ports;
    const delayMs = policy.delayMs(nowMs);
    if (delayMs === Number.POSITIVE_INFINITY || this.#used >= policy.config.maxHedges) return;
    this.#timer = host.runtime.scheduler.after(delayMs, () => this.#launch());
  }

  #launch(): void {
    this.#timer = undefined;
    const { host, exchange, policy, upstream } = this.ports;
    const nowMs = upstream.cluster.nowMs();
    const request = { idempotent: true, replayable: true };
    if (policy.tryHedge(request, this.#used, nowMs) !== 'hedge') return;
    const asked = Array.from(this.#tries, ({ attempt }) => attempt.slot);
    const slot = exchange.pickHedge(asked, nowMs);
    if (slot === NO_SLOT) {
      policy.giveBack(nowMs);
      return;
    }
    const hedge = new HedgeTry(this);
    this.#tries.add(hedge);
    this.#used++;
    host.counters.hedgeCount++;
    hedge.attempt.start(upstream, this.#admission, slot, nowMs);
    hedge.begin({ attempt: hedge.attempt, upstream, slot }, nowMs);
    this.#wait(nowMs);
  }
}

/** One of them, until it wins or fails. */
class HedgeTry implements Requester {
  readonly isUpgrade = false;
  readonly requestDone = true;
  /** Not before it has won: interim responses are of no use. */
  readonly client = undefined;
  readonly attempt: Attempt = new Attempt();
  readonly #hedges: Hedges;
  #message: Buffer | undefined = undefined;

  constructor(hedges: Hedges) {
    this.#hedges = hedges;
  }

  get isHead(): boolean {
    return this.#hedges.ports.exchange.isHead;
  }

  begin(asked: AskedEndpoint, nowMs: number): void {
    const { exchange } = this.#hedges.ports;
    const { trace } = exchange.client.account;
    this.#message = trace === undefined ? exchange.message : traced(trace, asked, exchange.message);
    const taken = this.attempt.take(this);
    if (taken === 'queued' || taken === 'full') {
      // It is to be faster than the first one.
      this.#hedges.remove(this);
      this.attempt.drop(this, Outcome.cancelled, nowMs);
    } else if (taken.isReady) this.connected(taken);
  }

  connecting(connection: UpstreamConnection): void {
    this.attempt.over(connection);
  }

  connected(connection: UpstreamConnection): void {
    this.attempt.over(connection);
    connection.begin(this);
    connection.stream.write(this.#message as Buffer);
    connection.requestSent(true);
  }

  upstreamDrained(): void {
    // All of it was handed over at once.
  }

  answer(head: ResponseHead, bytes: Buffer): Reception {
    const { exchange, retry, upstream, host } = this.#hedges.ports;
    const { connection } = this.attempt;
    if (connection === undefined || !this.#hedges.remove(this)) return Reception.refuse;
    const { status } = head;
    this.attempt.span?.answered(status);
    const outcome = outcomeOfStatus(status, false);
    if (status >= 400 && retry.isRetryable({ outcome, statusCode: status, sent: true })) {
      this.attempt.finish(outcome, upstream.cluster.nowMs());
      return Reception.refuse;
    }
    host.counters.hedgeWinCount++;
    connection.belongTo(exchange);
    return exchange.hedgeAnswered(this.attempt, head, bytes);
  }

  received(): void {
    // It belongs to the exchange by then.
  }

  complete(): void {
    // As above.
  }

  tunnelClosed(): void {
    // It never becomes one.
  }

  failed(outcome: Outcome): void {
    this.#hedges.remove(this);
    this.attempt.finish(outcome, this.#hedges.ports.upstream.cluster.nowMs());
  }
}
