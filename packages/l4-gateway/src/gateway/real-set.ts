import type { ClusterSnapshot } from '@evenkeel/core';
import type { Real } from '../forwarder/vip.ts';
import { type RealState, realsOf } from './reals-of.ts';

/** Status of one real of a VIP. */
export interface ServiceReal extends RealState {
  /** When the flows of a real that left the cluster are placed anew, on the cluster's clock. */
  readonly drainsUntilMs: number | undefined;
}

/** What a cluster tells about a real. */
export interface PlainReal {
  readonly address: string;
  readonly weight: number;
  readonly port?: number | undefined;
  readonly serverId?: string | undefined;
  readonly down?: boolean;
}

/** Puts in what the VIP and this machine know; undefined for a real that packets cannot be sent to. */
export type Complete = (real: PlainReal) => Real | undefined;

export interface RealSetOptions {
  readonly drainTimeoutMs: number;
  /** What the forwarder has already. */
  readonly told: readonly Real[];
}

/** Longest wait for the first checks of all reals, once one is back. */
const SETTLE_MS = 3_000;

/** What one cluster means for the forwarder: who gets new flows, who keeps flows, and until when. */
export class RealSet {
  readonly #drainTimeoutMs: number;
  #told: ReadonlyMap<string, Real>;
  #states: readonly RealState[] = [];
  /** Reals that are no longer listed, and until when they keep their flows. */
  readonly #leaving = new Map<string, number>();
  #hasHeard = false;
  #isBehind = false;
  /** When the cluster had something to say for the first time. */
  #firstMs: number | undefined;

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
      ...{ port: undefined, serverId: undefined, drainsUntilMs },
    }));
    return [...listed, ...leaving];
  }

  /** Is something about to be published that {@link hear} has not seen? Ask again soon. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Takes in what the cluster publishes now. @returns false while it has nothing to say */
  hear(snapshot: ClusterSnapshot, nowMs: number): boolean {
    // Until discovery has answered and first checks are back, what is known is better than nothing.
    this.#isBehind = isBehind(snapshot);
    if (!snapshot.ready || this.#isBehind || this.#isAwaited(snapshot, nowMs)) return false;
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

  /** What the forwarder is to have; `complete` leaves out whom packets cannot be sent to. */
  wanted(complete: Complete): Real[] {
    const wanted: Real[] = [];
    const add = (real: PlainReal): void => {
      const completed = complete(real);
      if (completed !== undefined) wanted.push(completed);
    };
    for (const { address, role, weight, port, serverId } of this.#states) {
      // Someone who never had a flow needs no place in the program's table.
      if (role === 'unusable' || (role !== 'active' && !this.#told.has(address))) continue;
      add({ address, weight, port, serverId, down: role === 'failed' });
    }
    for (const address of this.#leaving.keys()) {
      // Where it listened is told by what the forwarder has.
      const { port, serverId } = this.#told.get(address) ?? {};
      add({ address, weight: 0, port, serverId, down: false });
    }
    return wanted;
  }

  /** The forwarder has these now. */
  note(reals: readonly Real[]): void {
    this.#told = new Map(reals.map((real) => [real.address, real]));
  }

  /**
   * At first, is there a real without a verdict? Whoever comes back first would get all flows otherwise, and the others
   * only what is new from then on.
   */
  #isAwaited({ endpoints }: ClusterSnapshot, nowMs: number): boolean {
    if (this.#hasHeard) return false;
    this.#firstMs ??= nowMs;
    return (
      nowMs - this.#firstMs < SETTLE_MS && endpoints.some(({ state }) => state === 'unchecked')
    );
  }
}

/** The state of an endpoint changes at once, who is eligible with the next publication: then the two contradict. */
function isBehind({ endpoints, healthyCount }: ClusterSnapshot): boolean {
  return (
    endpoints.filter(({ state, weight }) => state === 'healthy' && weight > 0).length !==
    healthyCount
  );
}
