import { uniformUnit } from '../../algorithm/random-source.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Members } from '../../model/members.ts';
import { MemberDraw } from '../member-draw.ts';
import { isSaneAnswer } from '../../load-report/load-report.ts';
import type { ProbeAnswer, ProbeFailure, ProbeListener } from '../probing.ts';
import { badnessOf } from './endpoint-memory.ts';
import { LoadQuantile } from './load-quantile.ts';
import { ProbePacer } from './probe-pacer.ts';
import { NONE, ProbePool } from './probe-pool.ts';
import type { PrequalShared } from './shared.ts';
import { Supply } from './supply.ts';

/** Answers that the typical speed looks back on. */
const TYPICAL_WINDOW = 64;

/** Answers needed to pick by them: two to compare anything, four where there are members enough. */
const MIN_ANSWERS = 2;
const MAX_MIN_ANSWERS = 4;

/** An endpoint that does not know probes is asked again after this time: it may have been updated. */
const NOT_UNDERSTOOD_PAUSE_MS = 10_000;

/**
 * What is known of the load of one group of members: outlives its pickers. Requests that start set it going, and answers
 * come in when they come; a pick only reads.
 */
export class ProbeGroup implements ProbeListener {
  readonly pool: ProbePool;
  /** Above this load an endpoint is hot. */
  readonly threshold: LoadQuantile;
  draw: MemberDraw;
  /** With fewer fresh answers than this there is little to compare. */
  minAnswers: number = MIN_ANSWERS;
  /** Latency divided by requests in the server, in ms, as a typical endpoint tells it. */
  typicalUnitMs = 1;

  readonly #shared: PrequalShared;
  readonly #pacer: ProbePacer;
  readonly #supply = new Supply();
  /** Mean weight / weight by slot; undefined: 1 for all. */
  #relief: Float64Array | undefined = undefined;
  #members: Members;
  #bySlot: (Endpoint | undefined)[] = [];
  /**
   * By slot: when it may be probed again. {@link UNDER_WAY} until a probe is answered: one at a time, so that an endpoint
   * that hangs collects none.
   */
  #nextProbeMs: Float64Array<ArrayBuffer> = new Float64Array(0);
  /** Share of the answers that are expected to be of an endpoint that is not in the pool. */
  #newRatio = 1;
  #typicalGain = 1;
  #removalCredit = 0;
  #removesWorst = false;

  constructor(shared: PrequalShared, members: Members) {
    const { config, random } = shared;
    this.#shared = shared;
    this.pool = new ProbePool(config.poolSize);
    this.threshold = new LoadQuantile(config.hotQuantile);
    this.#pacer = new ProbePacer(config.probesPerRequest, config.maxProbesPerSecond);
    this.#members = members;
    this.draw = new MemberDraw(members, random);
    this.setMembers(members);
  }

  /** Takes new members; what is known of those that stay is kept. */
  setMembers(members: Members): void {
    const { slots, weights, endpoints } = members;
    const former = this.#bySlot;
    const bySlot: (Endpoint | undefined)[] = [];
    slots.forEach((slot, index) => {
      bySlot[slot] = endpoints[index];
    });
    const nextProbeMs = new Float64Array(bySlot.length).fill(AT_ONCE);
    former.forEach((endpoint, slot) => {
      if (endpoint === undefined) return;
      // A probe may be under way still; of an endpoint that is gone its answer will find a stranger, and be dropped.
      if (endpoint.id === bySlot[slot]?.id) nextProbeMs[slot] = this.#nextProbeMs[slot] as number;
      else this.pool.remove(slot);
    });
    this.#members = members;
    this.#bySlot = bySlot;
    this.#nextProbeMs = nextProbeMs;
    this.draw = new MemberDraw(members, this.#shared.random);
    this.#relief = this.draw.uniform ? undefined : reliefOf(slots, weights, bySlot.length);
    this.minAnswers = Math.min(MAX_MIN_ANSWERS, Math.max(MIN_ANSWERS, slots.length >> 1));
    this.#newRatio = Math.max(0, 1 - this.#shared.config.poolSize / slots.length);
  }

  /**
   * The requests of an endpoint in the pool as of now: those of others as it told, and our own, which we know. Of others
   * we do not hear what they have sent since, but on the average they got back as much.
   */
  requestsAt(at: number): number {
    const { slots, others } = this.pool;
    const own = this.#shared.load.active[slots[at] as number] as number;
    return (others[at] as number) + own;
  }

  /** Requests in proportion to weight: what is compared between endpoints. */
  loadOf(slot: number, requests: number): number {
    return this.#relief === undefined ? requests : requests * (this.#relief[slot] as number);
  }

  has(slot: number): boolean {
    return this.#bySlot[slot] !== undefined;
  }

  /** A request went to a slot: that uses its answer up, and asks others. */
  started(slot: number, nowMs: number): void {
    this.#supply.requested();
    this.pool.expire(nowMs - this.#shared.config.maxAgeMs);
    this.pool.use(slot);
    if (this.#shared.prober !== undefined) this.#probe(nowMs);
  }

  /** An endpoint told its load with an answer, before the end of that request is counted. */
  told(slot: number, answer: ProbeAnswer, nowMs: number): void {
    const own = (this.#shared.load.active[slot] as number) - 1;
    this.#put(slot, answer, { own, nowMs });
    this.#pacer.spare();
  }

  // oxlint-disable-next-line max-params -- the listener's parameters
  onProbeAnswer(slot: number, endpoint: Endpoint, answer: ProbeAnswer, nowMs: number): void {
    if (!this.#isMember(slot, endpoint)) return;
    if (!isSaneAnswer(answer)) {
      this.onProbeFailure(slot, endpoint, 'not-understood', nowMs);
      return;
    }
    this.#shared.counters.probeAnswerCount++;
    this.#nextProbeMs[slot] = AT_ONCE;
    this.#put(slot, answer, { own: this.#shared.load.active[slot] as number, nowMs });
  }

  // oxlint-disable-next-line max-params -- the contract's parameters
  onProbeFailure(slot: number, endpoint: Endpoint, failure: ProbeFailure, nowMs: number): void {
    if (!this.#isMember(slot, endpoint)) return;
    this.#shared.counters.probeFailureCount++;
    if (failure === 'not-understood') {
      this.#nextProbeMs[slot] = nowMs + NOT_UNDERSTOOD_PAUSE_MS;
      return;
    }
    this.#nextProbeMs[slot] = AT_ONCE;
    this.pool.remove(slot);
    this.#shared.memory.observeFailure(slot, nowMs);
  }

  #isMember(slot: number, { id }: Endpoint): boolean {
    return this.#bySlot[slot]?.id === id;
  }

  /** @param moment own requests among those that the endpoint told of, and the time */
  #put(slot: number, answer: ProbeAnswer, moment: PutMoment): void {
    const { config, random, memory } = this.#shared;
    const { pool } = this;
    const unitMs = this.#unitOf(answer);
    const at = pool.place(slot, moment.nowMs);
    pool.others[at] = answer.requestsInFlight - moment.own;
    pool.unitsMs[at] = unitMs;
    pool.badness[at] = badnessOf(answer.errorRatio);
    const uses = this.#supply.usesOf(this.#newRatio, config.removalRatio);
    const whole = Math.floor(uses);
    pool.uses[at] = uniformUnit(random) < uses - whole ? whole + 1 : whole;
    memory.unitMs.values[slot] = unitMs;
    this.threshold.add(this.loadOf(slot, answer.requestsInFlight));
    this.#supply.answered();
    this.#removalCredit += config.removalRatio;
    if (this.#removalCredit >= 1) this.#removeOne(at);
  }

  /** An endpoint that has no latency to tell is taken for a typical one: neither flooded nor starved. */
  #unitOf({ latencyMs, requestsInFlight }: ProbeAnswer): number {
    if (!(latencyMs > 0)) return this.typicalUnitMs;
    const unitMs = latencyMs / (requestsInFlight + 1);
    this.typicalUnitMs += (unitMs - this.typicalUnitMs) * this.#typicalGain;
    if (this.#typicalGain > 1 / TYPICAL_WINDOW) this.#typicalGain /= 1 + this.#typicalGain;
    return unitMs;
  }

  /** The oldest, because it is the least true; the worst, because else it would be all that is left in the end. */
  #removeOne(latest: number): void {
    this.#removalCredit--;
    this.#removesWorst = !this.#removesWorst;
    const at = this.#removesWorst ? this.#worst(latest) : this.pool.oldest();
    if (at !== NONE) this.pool.removeAt(at);
  }

  /**
   * The opposite of what is picked: the most loaded of the hot, else the slowest. Never the latest: the request that has
   * brought it with a load report counts there as one of our own still.
   */
  #worst(latest: number): number {
    const { pool, threshold } = this;
    const hotAbove = threshold.value;
    let worst = NONE;
    let worstIsHot = false;
    let highest = Number.NEGATIVE_INFINITY;
    for (let at = 0; at < pool.count; at++) {
      if (at === latest) continue;
      const requests = this.requestsAt(at);
      const load = this.loadOf(pool.slots[at] as number, requests);
      const isHot = load > hotAbove;
      if (worstIsHot && !isHot) continue;
      const value = isHot ? load : (pool.unitsMs[at] as number) * (requests + 1);
      if (isHot === worstIsHot && value <= highest) continue;
      worst = at;
      worstIsHot = isHot;
      highest = value;
    }
    return worst;
  }

  #probe(nowMs: number): void {
    const { slots, endpoints } = this.#members;
    const { prober, counters } = this.#shared;
    if (slots.length === 0) return;
    for (let left = this.#pacer.take(nowMs); left > 0; left--) {
      const index = this.draw.draw();
      const slot = slots[index] as number;
      const endpoint = endpoints[index];
      if (endpoint === undefined || nowMs < (this.#nextProbeMs[slot] as number)) continue;
      if (prober?.probe(slot, endpoint, this) === true) {
        this.#nextProbeMs[slot] = UNDER_WAY;
        counters.probeCount++;
      } else counters.probeDeclinedCount++;
    }
  }
}

const UNDER_WAY = Number.POSITIVE_INFINITY;
const AT_ONCE = Number.NEGATIVE_INFINITY;

interface PutMoment {
  readonly own: number;
  readonly nowMs: number;
}

function reliefOf(slots: Int32Array, weights: Float64Array, slotCount: number): Float64Array {
  const relief = new Float64Array(slotCount).fill(1);
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  slots.forEach((slot, index) => {
    relief[slot] = mean / (weights[index] as number);
  });
  return relief;
}
