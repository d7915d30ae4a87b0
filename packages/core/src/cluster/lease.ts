import type { LoadReport } from '../load-report/load-report.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { type Outcome, RESPONDED } from '../model/outcome.ts';
import type { Cluster, Lease } from './face.ts';

/** What a lease reports to: the raw path of its cluster. */
export type LeaseOwner = Pick<Cluster, 'respond' | 'finish' | 'pushback' | 'report' | 'nowMs'>;

/** A request in flight. The state guards the raw path against a second end: in-flight counts go down exactly once. */
export class ClusterLease implements Lease {
  readonly endpoint: Endpoint;
  readonly slot: number;
  readonly startedAtMs: number;
  readonly #owner: LeaseOwner;
  #state: 'waiting' | 'responded' | 'finished' = 'waiting';

  /** Four parameters: built once per request, and an options object would double the allocation. */
  // oxlint-disable-next-line max-params
  constructor(owner: LeaseOwner, endpoint: Endpoint, slot: number, startedAtMs: number) {
    this.#owner = owner;
    this.endpoint = endpoint;
    this.slot = slot;
    this.startedAtMs = startedAtMs;
  }

  get finished(): boolean {
    return this.#state === 'finished';
  }

  respond(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'responded';
    const nowMs = this.#owner.nowMs();
    this.#owner.respond(this.slot, nowMs - this.startedAtMs, nowMs);
  }

  pushback(delayMs: number): void {
    if (this.#state !== 'finished') this.#owner.pushback(this.slot, delayMs);
  }

  report(report: LoadReport): void {
    if (this.#state !== 'finished') this.#owner.report(this.slot, report);
  }

  finish(outcome: Outcome): void {
    if (this.#state === 'finished') return;
    const nowMs = this.#owner.nowMs();
    const latencyMs = this.#state === 'responded' ? RESPONDED : nowMs - this.startedAtMs;
    this.#state = 'finished';
    this.#owner.finish(this.slot, outcome, latencyMs, nowMs);
  }
}
