import type { ClusterSnapshot } from '@evenkeel/core';
import type { Real } from '../forwarder/vip.ts';
import { type RealState, realsOf } from './reals-of.ts';

/** Status of one real of a VIP. */
export interface ServiceReal extends RealState {
  /** When the flows of a real that left the cluster are placed anew, on the cluster's clock. */
  readonly drainsUntilMs: number | undefined;
}

export interface RealSetOptions {
  readonly drainTimeoutMs: number;
  /** What the forwarder has already. */
  readonly told: readonly Real[];
}

/** What one cluster means for the forwarder: who gets new flows, who keeps flows, and until when. */
export class RealSet {
  readonly #drainTimeoutMs: number;
  #told: ReadonlyMap<string, Real>;
  #states: readonly RealState[] = [];
  /** Reals that are no longer listed, and until when they keep their flows. */
  readonly #leaving = new Map<string, number>();
  #hasHeard = false;

  constructor({ drainTimeoutMs, told }: RealSetOptions) {
    this.#drainTimeoutMs = drainTimeoutMs;
    this.#told = new Map(told.map((real) => [real.address, real]));
  }

  /** As the forwarder has them. */
  get told(): readonly Real[] {
    return [...this.#told.values()];
  }

  /** Has the cluster spoken, and is there a real that takes new flows? */
  get isReady(): boolean {
    return this.#hasHeard && this.#states.some(({ role }) => role === 'active');
  }

  get reals(): readonly ServiceReal[] {
    const listed = this.#states.map((state) => ({ ...state, drainsUntilMs: undefined }));
    const leaving = Array.from(this.#leaving, ([address, drainsUntilMs]): ServiceReal => ({
      ...{ address, role: 'draining', weight: 0, state: 'gone', reason: 'no longer listed' },
      ...{ serverId: undefined, drainsUntilMs },
    }));
    return [...listed, ...leaving];
  }

  /** Takes in what the cluster publishes now. @returns false while it has nothing to say */
  hear(snapshot: ClusterSnapshot, nowMs: number): boolean {
    // Until discovery has answered and first checks are back, what is known is better than nothing.
    if (!snapshot.ready || (!this.#hasHeard && this.#isAwaited(snapshot))) return false;
    this.#hasHeard = true;
    this.#states = realsOf(snapshot);
    const listed = new Set(this.#states.map(({ address }) => address));
    for (const address of this.#told.keys()) {
      if (!listed.has(address) && !this.#leaving.has(address)) {
        this.#leaving.set(address, nowMs + this.#drainTimeoutMs);
      }
    }
    for (const [address, untilMs] of this.#leaving) {
      if (listed.has(address) || untilMs <= nowMs) this.#leaving.delete(address);
    }
    return true;
  }

  /** What the forwarder is to have. */
  wanted(complete: (real: Real) => Real): Real[] {
    const wanted: Real[] = [];
    for (const { address, role, weight, serverId } of this.#states) {
      // Someone who never had a flow needs no place in the program's table.
      if (role === 'unusable' || (role !== 'active' && !this.#told.has(address))) continue;
      wanted.push(
        complete({
          ...{ address, weight, down: role === 'failed' },
          ...(serverId === undefined ? {} : { serverId }),
        }),
      );
    }
    for (const address of this.#leaving.keys()) {
      wanted.push(complete({ address, weight: 0, down: false }));
    }
    return wanted;
  }

  /** The forwarder has these now. */
  note(reals: readonly Real[]): void {
    this.#told = new Map(reals.map((real) => [real.address, real]));
  }

  /** Does a real that has flows already wait for its first check? */
  #isAwaited({ endpoints }: ClusterSnapshot): boolean {
    return endpoints.some(
      ({ state, endpoint: { address } }) =>
        state === 'unchecked' && address.kind === 'ip' && this.#told.has(address.host),
    );
  }
}
