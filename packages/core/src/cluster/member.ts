import type { Endpoint } from '../model/endpoint.ts';
import { DEGRADED, HealthFlag, type HealthState, healthStateOf } from '../model/health-state.ts';
import type { Timer } from '../runtime/scheduler.ts';

/** A cluster's own record of an endpoint: what lives as long as its slot does. */
export class Member {
  readonly slot: number;
  /** Bits of `HealthFlag`; 0 is healthy. */
  flags: number;
  /** Why the flags are what they are, in a clause. */
  reason: string;
  /** Ends the patience with requests still in flight on a draining member. */
  drainTimer: Timer | undefined;
  /** Gone for everyone, but requests that never ended still hold the slot. */
  abandoned = false;
  /** How much of it this client uses: 0 outside of its aperture, 1 without one. */
  reach = 1;
  /** Since when it takes traffic; minus infinity: forever. Undefined: not yet, or nobody asks. */
  warmsSinceMs: number | undefined;

  #listed: Endpoint;
  /** As an operator wants it; undefined: as it is listed. */
  #weight: number | undefined = undefined;
  #endpoint: Endpoint;

  constructor(slot: number, endpoint: Endpoint, flags: number) {
    this.slot = slot;
    this.#listed = this.#endpoint = endpoint;
    this.flags = flags;
    this.reason = flags === 0 ? 'new' : 'no check has come back yet';
  }

  /** As discovery lists it. */
  get listed(): Endpoint {
    return this.#listed;
  }

  /** With the weight that an operator has given it, if any. */
  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  /** Weight, metadata or another property that is not identity has changed. */
  list(endpoint: Endpoint): void {
    this.#listed = endpoint;
    this.#endpoint = this.#weight === undefined ? endpoint : { ...endpoint, weight: this.#weight };
  }

  /** @param weight undefined: as it is listed */
  weigh(weight: number | undefined): void {
    this.#weight = weight;
    this.list(this.#listed);
  }

  get state(): HealthState {
    return healthStateOf(this.flags);
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  /** May it be offered as the trial of an ejected endpoint: is ejection all that stands against it? */
  get isTrialCandidate(): boolean {
    return (
      (this.flags & ~DEGRADED) === HealthFlag.ejected && this.endpoint.weight > 0 && this.reach > 0
    );
  }
}
