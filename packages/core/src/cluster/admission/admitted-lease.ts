import type { Endpoint } from '../../model/endpoint.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Admission } from '../../resilience/admission.ts';
import { ClusterLease, type LeaseOwner } from '../lease.ts';

/** Where and when a lease begins. */
export interface LeaseStart {
  readonly endpoint: Endpoint;
  readonly slot: number;
  readonly nowMs: number;
}

/** A lease of a cluster that admits: its one try is the whole request, and its end ends both. */
export class AdmittedLease extends ClusterLease {
  readonly #owner: LeaseOwner;
  readonly #admission: Admission;
  #latencyMs: number | undefined;

  constructor(owner: LeaseOwner, admission: Admission, { endpoint, slot, nowMs }: LeaseStart) {
    super(owner, endpoint, slot, nowMs);
    this.#owner = owner;
    this.#admission = admission;
  }

  override respond(): void {
    if (!this.finished) this.#latencyMs ??= this.#owner.nowMs() - this.startedAtMs;
    super.respond();
  }

  override finish(outcome: Outcome): void {
    if (this.finished) return;
    const nowMs = this.#owner.nowMs();
    const latencyMs = this.#latencyMs ?? nowMs - this.startedAtMs;
    // The admission first: with the last request of a leaving endpoint, its guard goes.
    this.#admission.leave(this.slot, outcome, latencyMs, nowMs, this.startedAtMs);
    this.#admission.complete(outcome, latencyMs, nowMs, this.startedAtMs);
    super.finish(outcome);
  }
}
