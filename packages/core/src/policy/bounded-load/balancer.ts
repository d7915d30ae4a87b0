import { BoundedLoad } from '../../algorithm/bounded-load.ts';
import type { LoadTable } from '../../model/load-table.ts';
import type { Members } from '../../model/members.ts';
import type { Outcome } from '../../model/outcome.ts';
import { keyedMembersOf } from '../keyed-members.ts';
import { PickHash } from '../pick-hash.ts';
import type { Balancer, Picker, PolicyEnvironment } from '../policy.ts';
import { ActiveChanges } from './active-changes.ts';
import { ActiveTotal } from './active-total.ts';
import { BoundedLoadPicker } from './picker.ts';

/** What the balancer is made of. */
export interface BoundedLoadParts {
  readonly child: Balancer;
  readonly factorPercent: number;
  readonly environment: Pick<PolicyEnvironment, 'load' | 'random'>;
}

/** Counts the requests in flight, hands everything on to the wrapped policy, and renews its picker with it. */
export class BoundedLoadBalancer implements Balancer {
  readonly #child: Balancer;
  readonly #factorPercent: number;
  readonly #load: LoadTable;
  readonly #hash: PickHash;
  readonly #changes = new ActiveChanges();

  constructor({ child, factorPercent, environment }: BoundedLoadParts) {
    this.#child = child;
    this.#factorPercent = factorPercent;
    this.#load = environment.load;
    this.#hash = new PickHash(environment.random);
  }

  update(members: Members, earlier?: Picker): Picker {
    const keyed = keyedMembersOf(members);
    const { active } = this.#load;
    const earlierChild = earlier instanceof BoundedLoadPicker ? earlier.child : undefined;
    return new BoundedLoadPicker({
      child: this.#child.update(members, earlierChild),
      members: keyed,
      bounds: new BoundedLoad({
        active,
        slots: keyed.slots,
        endpointCount: keyed.count,
        weights: keyed.weights,
        factorPercent: this.#factorPercent,
      }),
      active,
      total: new ActiveTotal(this.#changes, active, keyed.slots),
      hash: this.#hash,
    });
  }

  onStart(slot: number, nowMs: number): void {
    this.#changes.add(slot, 1);
    this.#child.onStart?.(slot, nowMs);
  }

  onResponse(slot: number, latencyMs: number, nowMs: number): void {
    this.#child.onResponse?.(slot, latencyMs, nowMs);
  }

  // oxlint-disable-next-line max-params -- the contract's parameters
  onFinish(slot: number, outcome: Outcome, latencyMs: number, nowMs: number): void {
    this.#changes.add(slot, -1);
    this.#child.onFinish?.(slot, outcome, latencyMs, nowMs);
  }

  onPushback(slot: number, delayMs: number, nowMs: number): void {
    this.#child.onPushback?.(slot, delayMs, nowMs);
  }

  close(): void {
    this.#child.close?.();
  }
}
