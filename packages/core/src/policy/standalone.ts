import { configError } from '../error/config-error.ts';
import type { LoadReport } from '../load-report/load-report.ts';
import type { Endpoint, EndpointInput } from '../model/endpoint.ts';
import { endpointSetOf, MAX_ENDPOINTS } from '../model/endpoint-set.ts';
import { LoadTable } from '../model/load-table.ts';
import type { Members } from '../model/members.ts';
import { type Outcome, OUTCOME_COUNT } from '../model/outcome.ts';
import { ANY, NO_SLOT, type PickContext } from '../model/pick-context.ts';
import { SlotAllocator } from '../model/slot-allocator.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { createRandom, type Random } from '../runtime/random.ts';
import { BUILT_IN_POLICIES } from './built-in.ts';
import type {
  Balancer,
  CandidateExplanation,
  Picker,
  Policy,
  PolicyOptions,
  PolicyStats,
} from './policy.ts';
import type { ProberFactory } from './probing.ts';
import { PolicyRegistry } from './registry.ts';

/** What a policy is driven with. Time and randomness come in only here, so that a run can be repeated. */
export interface StandaloneOptions {
  /** The first endpoints; {@link StandalonePolicy.update} changes them. */
  readonly endpoints: readonly EndpointInput[];
  /** Default: the real clock. */
  readonly clock?: Clock | undefined;
  /** Default: a generator with a seed of its own. */
  readonly random?: Random | undefined;
  /** Policies of one's own, known by name besides the built-in ones. */
  readonly policies?: readonly Policy[] | undefined;
  /** Makes what asks endpoints for their load. Default: nobody is asked. */
  readonly createProber?: ProberFactory | undefined;
}

/**
 * Builds a policy that is driven by hand, without a cluster: no discovery, no health, no timers. For simulations,
 * comparisons and tests of policies.
 *
 * ```ts
 * const policy = createPolicy('peak-ewma', { endpoints: ['10.0.0.1:80', '10.0.0.2:80'] });
 * const slot = policy.pick();
 * policy.start(slot);
 * policy.finish(slot, Outcome.success, 12.5);
 * ```
 *
 * @throws ConfigError for an unknown policy, wrong options or a wrong endpoint
 */
export function createPolicy(policy: PolicyOptions, options: StandaloneOptions): StandalonePolicy {
  const registry = new PolicyRegistry([...BUILT_IN_POLICIES, ...(options.policies ?? [])]);
  const decoded = registry.decode(policy);
  const load = new LoadTable({ capacity: options.endpoints.length });
  return new StandalonePolicy({
    name: decoded.policy.name,
    keyed: decoded.policy.keyed,
    load,
    balancer: registry.create(decoded, {
      load,
      random: options.random ?? createRandom(),
      createProber: options.createProber,
    }),
    clock: options.clock ?? systemClock,
    endpoints: options.endpoints,
  });
}

/** The parts that {@link createPolicy} puts together. */
interface StandaloneParts {
  readonly name: string;
  readonly keyed: boolean;
  readonly load: LoadTable;
  readonly balancer: Balancer;
  readonly clock: Clock;
  readonly endpoints: readonly EndpointInput[];
}

/**
 * A live policy with the bookkeeping that a cluster would do for it. Every method that needs the time reads the clock,
 * unless it is given `nowMs`: a hot loop reads the clock once.
 */
export class StandalonePolicy {
  readonly name: string;
  /** Does `hashKey` decide? */
  readonly keyed: boolean;
  /** In-flight requests and outcomes per slot. */
  readonly load: LoadTable;
  readonly #balancer: Balancer;
  readonly #clock: Clock;
  readonly #slots = new SlotAllocator();
  readonly #endpoints: (Endpoint | undefined)[] = [];
  /** Ids that were taken away with requests in flight: their slots are freed when the last one ends. */
  readonly #draining = new Set<string>();
  #picker: Picker;
  #version = 0;

  constructor(parts: StandaloneParts) {
    this.name = parts.name;
    this.keyed = parts.keyed;
    this.load = parts.load;
    this.#balancer = parts.balancer;
    this.#clock = parts.clock;
    this.#picker = this.#applied(parts.endpoints);
  }

  /** @returns the slot of an endpoint, or `NO_SLOT` when there is none that the context allows */
  pick(context: PickContext = ANY, nowMs: number = this.#clock.nowMs()): number {
    return this.#picker.pick(context, nowMs);
  }

  /** A request is sent to a slot. */
  start(slot: number, nowMs: number = this.#clock.nowMs()): void {
    const { active } = this.load;
    active[slot] = (active[slot] as number) + 1;
    this.#balancer.onStart?.(slot, nowMs);
  }

  /** The first byte of a good answer came `latencyMs` after the start. At most once per request; may be left out. */
  respond(slot: number, latencyMs: number, nowMs: number = this.#clock.nowMs()): void {
    this.#balancer.onResponse?.(slot, latencyMs, nowMs);
  }

  /**
   * A request ended, `latencyMs` after its start, or `RESPONDED` when {@link respond} has reported the first byte. More
   * ends than starts are ignored. Four parameters: an options object would be an allocation per request.
   */
  // oxlint-disable-next-line max-params
  finish(
    slot: number,
    outcome: Outcome,
    latencyMs: number,
    nowMs: number = this.#clock.nowMs(),
  ): void {
    const { active, outcomes } = this.load;
    const before = active[slot] as number;
    if (!(before > 0)) return;
    active[slot] = before - 1;
    const counter = slot * OUTCOME_COUNT + outcome;
    outcomes[counter] = (outcomes[counter] as number) + 1;
    this.#balancer.onFinish?.(slot, outcome, latencyMs, nowMs);
    if (before === 1 && this.#draining.size > 0) this.#free(slot);
  }

  /** The endpoint asked to be left alone for `delayMs` (Retry-After). */
  pushback(slot: number, delayMs: number, nowMs: number = this.#clock.nowMs()): void {
    this.#balancer.onPushback?.(slot, delayMs, nowMs);
  }

  /** The endpoint told its load with an answer. */
  report(slot: number, report: LoadReport, nowMs: number = this.#clock.nowMs()): void {
    this.#balancer.onLoadReport?.(slot, report, nowMs);
  }

  /** Numbers that the policy keeps of itself. */
  stats(): PolicyStats {
    return this.#balancer.stats?.() ?? {};
  }

  /**
   * Replaces the endpoints. Those that stay, by id, keep their slot and everything the policy knows of them; those that
   * go are not picked again, and their slot is reused once their last request has ended.
   *
   * @throws ConfigError and changes nothing when an endpoint is wrong or there are more than 65,536
   */
  update(endpoints: readonly EndpointInput[]): void {
    this.#picker = this.#applied(endpoints);
  }

  /** The endpoint of a slot, also while its last requests run; undefined for a free slot. */
  endpoint(slot: number): Endpoint | undefined {
    return this.#endpoints[slot];
  }

  /** The slot of an endpoint id; `NO_SLOT` when there is none. */
  slotOf(id: string): number {
    return this.#slots.slotOf(id);
  }

  /** How each endpoint stands for this context, best first. Changes nothing. */
  explain(
    context: PickContext = ANY,
    nowMs: number = this.#clock.nowMs(),
  ): readonly CandidateExplanation[] {
    return this.#picker.explain(context, nowMs);
  }

  /** Releases what the policy holds. Idempotent. */
  close(): void {
    this.#balancer.close?.();
  }

  #applied(inputs: readonly EndpointInput[]): Picker {
    if (inputs.length > MAX_ENDPOINTS) {
      throw configError('endpoints', `at most ${MAX_ENDPOINTS} endpoints`, inputs.length);
    }
    const { endpoints, byId } = endpointSetOf(inputs);
    for (const endpoint of this.#endpoints) {
      if (endpoint !== undefined && !byId.has(endpoint.id)) this.#remove(endpoint.id);
    }
    for (const endpoint of endpoints) this.#place(endpoint);
    const eligible = endpoints.filter((endpoint) => endpoint.weight > 0);
    return this.#balancer.update(this.#membersOf(eligible), this.#picker);
  }

  #place(endpoint: Endpoint): void {
    const isNew = this.#slots.slotOf(endpoint.id) === NO_SLOT;
    const slot = this.#slots.assign(endpoint.id);
    this.#draining.delete(endpoint.id);
    this.#endpoints[slot] = endpoint;
    if (!isNew) return;
    this.load.ensureCapacity(this.#slots.slotCount);
    this.load.resetSlot(slot);
  }

  #remove(id: string): void {
    this.#draining.add(id);
    this.#free(this.#slots.slotOf(id));
  }

  /** Frees the slot of an endpoint that is leaving and idle. */
  #free(slot: number): void {
    const id = this.#slots.idOf(slot);
    if (id === undefined || this.load.active[slot] !== 0 || !this.#draining.delete(id)) return;
    this.#slots.release(id);
    this.#endpoints[slot] = undefined;
  }

  #membersOf(eligible: readonly Endpoint[]): Members {
    const placed = eligible
      .map((endpoint) => ({ endpoint, slot: this.#slots.slotOf(endpoint.id) }))
      .sort((a, b) => a.slot - b.slot);
    return {
      version: ++this.#version,
      slots: Int32Array.from(placed, ({ slot }) => slot),
      weights: Float64Array.from(placed, ({ endpoint }) => endpoint.weight),
      endpoints: placed.map(({ endpoint }) => endpoint),
    };
  }
}
