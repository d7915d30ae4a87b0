/**
 * What a connection, or a session of datagrams, has of its cluster: one endpoint, on which it counts as a request in
 * flight until it ends. As long as nothing was sent it may go on to another endpoint.
 */
import {
  type Cluster,
  type Endpoint,
  hashKeyOf,
  NO_SLOT,
  Outcome,
  type PickContext,
  RESPONDED,
} from '@evenkeel/core';
import type { Admission, RetryPolicy, RetrySequence } from '@evenkeel/core/resilience';
import type { Usage } from '../runtime/usage.ts';

export interface ClaimTarget {
  readonly cluster: Cluster;
  /** Decides on connecting once more. */
  readonly retry: RetryPolicy;
  /** Of the cluster: everybody who has something of it, or waits for it. */
  readonly usage: Usage;
}

/** Endpoints that are asked whether they take a connection, at most. */
const MAX_REFUSALS = 32;

export class Claim {
  readonly target: ClaimTarget;
  readonly #context: PickContext;
  #admission: Admission | undefined = undefined;
  #admittedAtMs = 0;
  #slot: number = NO_SLOT;
  #startedAtMs = 0;
  #responded = false;
  #retry: RetrySequence | undefined = undefined;
  #isOver = false;

  /** @param sourceAddress of the client: the affinity key, where the cluster wants one from there */
  constructor(target: ClaimTarget, sourceAddress: string) {
    this.target = target;
    const hashKey = keyOf(target.cluster, sourceAddress);
    this.#context = hashKey === undefined ? NO_KEY : { hashKey };
    target.usage.enter();
  }

  /** The slot of the endpoint, or `NO_SLOT`. */
  get slot(): number {
    return this.#slot;
  }

  /** May what goes on for long stay with its endpoint? Not when that is down, as far as the cluster knows. */
  get isServing(): boolean {
    const { cluster } = this.target;
    switch (cluster.stateOf(this.#slot)) {
      case 'healthy':
      case 'degraded':
      case 'draining':
      case 'unchecked':
      case 'circuit-open':
        return true;
      case 'unhealthy':
      case 'ejected':
        return cluster.isInPanic(this.#slot);
      case 'disabled':
      case undefined:
        return false;
    }
  }

  /** Asks for an endpoint. @returns undefined when nobody takes the connection; {@link close} follows in any case */
  open(): Endpoint | undefined {
    const { cluster, retry } = this.target;
    const nowMs = cluster.nowMs();
    const { admission } = cluster;
    if (admission?.admit(nowMs) !== undefined) return undefined;
    this.#admission = admission;
    this.#admittedAtMs = nowMs;
    retry.budget.deposit(nowMs);
    return this.#take(this.#context, nowMs);
  }

  /** The endpoint is there: the time that took is its latency. Once per try. */
  respond(): void {
    if (this.#slot === NO_SLOT || this.#responded) return;
    const { cluster } = this.target;
    const nowMs = cluster.nowMs();
    this.#responded = true;
    cluster.respond(this.#slot, nowMs - this.#startedAtMs, nowMs);
  }

  /** No connection came about. @returns the pause before {@link next}, or undefined when there is no other try */
  fail(): number | undefined {
    const { cluster, retry } = this.target;
    const nowMs = cluster.nowMs();
    const failed = { outcome: Outcome.connectFailure, sent: false };
    this.#retry ??= retry.begin({ idempotent: false, replayable: true });
    const isRetried = this.#retry.consider(failed, nowMs) === 'retry';
    if (isRetried) this.#retry.exclude(this.#slot);
    this.#end(Outcome.connectFailure, nowMs);
    return isRetried ? this.#retry.delayMs : undefined;
  }

  /**
   * An endpoint that has not failed this connection.
   *
   * @returns a number when there is none, but one that failed may be asked again after that many milliseconds; undefined
   *   when nobody is left
   */
  next(): Endpoint | number | undefined {
    const nowMs = this.target.cluster.nowMs();
    const exclude = this.#retry?.excluded;
    const found = this.#take({ ...this.#context, exclude }, nowMs);
    if (found !== undefined) return found;
    return this.#retry?.reconsider(nowMs) === 'retry' ? this.#retry.delayMs : undefined;
  }

  /** The end of it all. Idempotent. */
  close(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const nowMs = this.target.cluster.nowMs();
    this.#end(outcome, nowMs);
    this.#admission?.complete(outcome, nowMs - this.#startedAtMs, nowMs, this.#admittedAtMs);
    this.target.usage.leave();
  }

  #take(context: PickContext, nowMs: number): Endpoint | undefined {
    const { cluster } = this.target;
    const slot = this.#pick(context, nowMs);
    if (slot === NO_SLOT) return undefined;
    this.#slot = slot;
    this.#startedAtMs = nowMs;
    this.#responded = false;
    cluster.start(slot, nowMs);
    return cluster.endpoint(slot);
  }

  #pick(context: PickContext, nowMs: number): number {
    const { cluster } = this.target;
    const admission = this.#admission;
    const slot = cluster.pick(context, nowMs);
    if (admission === undefined || slot === NO_SLOT || admission.enter(slot, nowMs)) return slot;
    const exclude = [...(context.exclude ?? []), slot];
    for (let refusals = 1; refusals < MAX_REFUSALS; refusals++) {
      const other = cluster.pick({ ...context, exclude }, nowMs);
      if (other === NO_SLOT || admission.enter(other, nowMs)) return other;
      exclude.push(other);
    }
    return NO_SLOT;
  }

  #end(outcome: Outcome, nowMs: number): void {
    const slot = this.#slot;
    if (slot === NO_SLOT) return;
    this.#slot = NO_SLOT;
    const latencyMs = nowMs - this.#startedAtMs;
    this.target.cluster.finish(slot, outcome, this.#responded ? RESPONDED : latencyMs, nowMs);
    this.#admission?.leave(slot, outcome, latencyMs, nowMs, this.#startedAtMs);
  }
}

const NO_KEY: PickContext = Object.freeze({});

/** Bytes have no headers, no cookies and no path: only the address of the client, or what a function makes of it. */
function keyOf({ hashKeySource }: Cluster, sourceAddress: string): string | undefined {
  if (hashKeySource === undefined) return undefined;
  if (typeof hashKeySource !== 'function' && !('sourceAddress' in hashKeySource)) return undefined;
  const nothing = (): undefined => undefined;
  return hashKeyOf(hashKeySource, {
    path: '',
    sourceAddress,
    header: nothing,
    cookie: nothing,
    query: nothing,
  });
}
