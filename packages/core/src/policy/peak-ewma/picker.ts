import { firstOfTwo, secondOfTwo } from '../../algorithm/sample-two.ts';
import type { Members } from '../../model/members.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { Random } from '../../runtime/random.ts';
import { MemberDraw, NO_INDEX } from '../member-draw.ts';
import type { CandidateExplanation, Picker, PolicyEnvironment } from '../policy.ts';
import { CostReader } from './cost-reader.ts';
import type { EndpointState } from './endpoint-state.ts';
import { explainCosts } from './explain-costs.ts';

/**
 * One pick in this many looks whether the next endpoint in turn has gone without a request for too long. An endpoint
 * that loses every comparison gets at most 1/64 of its fair share that way, whatever the request rate.
 */
const PICKS_PER_PROBE = 64;

/** Turns wrap here, before they outgrow small integers. */
const MAX_TURN = 2 ** 30 - 1;

/** Further draws when the better of two candidates is a poor one. */
const MORE_DRAWS = 3;

/** Draws of the slow path before it looks at everyone. */
const MAX_DRAWS = 16;

/** Up to this many members the slow path compares all that are left instead of drawing. */
const FEW = 3;

/** Two candidates by weight, the lower cost wins. */
export class PeakEwmaPicker implements Picker {
  readonly #members: Members;
  readonly #slots: Int32Array;
  readonly #state: EndpointState;
  readonly #cost: CostReader;
  readonly #random: Random;
  readonly #draw: MemberDraw;
  readonly #uniform: boolean;
  /** Counts picks; says whose turn it is to be looked at for a trial. */
  #turn: number;

  constructor({ members, state, environment, earlier }: PeakEwmaPickerParts) {
    const { load, random } = environment;
    this.#turn = earlier?.turn ?? 0;
    this.#members = members;
    this.#slots = members.slots;
    this.#state = state;
    this.#cost = new CostReader(members, state, load.active);
    this.#random = random;
    this.#draw = new MemberDraw(members, random);
    this.#uniform = this.#draw.uniform;
  }

  get turn(): number {
    return this.#turn;
  }

  pick(context: PickContext, nowMs: number): number {
    const slots = this.#slots;
    const count = slots.length;
    const state = this.#state;
    state.decay.advance(nowMs);
    if (count < 2 || context.exclude !== undefined)
      return this.#pickAllowed(context.exclude ?? [], nowMs);
    this.#turn = (this.#turn + 1) & MAX_TURN;
    if (this.#turn % PICKS_PER_PROBE === 0) {
      const due = this.#dueProbe(nowMs);
      if (due !== NO_SLOT) return due;
    }
    if (nowMs < state.latestHoldMs) return this.#pickAllowed([], nowMs);
    let first: number;
    let second: number;
    if (this.#uniform) {
      const draw = this.#random.nextInt32();
      first = firstOfTwo(draw, count);
      second = secondOfTwo(draw, count, first);
    } else {
      first = this.#draw.draw();
      second = this.#draw.drawOther(first);
    }
    const better = this.#cost.better(first, second, nowMs);
    return slots[better < 0 ? this.#drawMore(~better, nowMs) : better] as number;
  }

  explain(context: PickContext, nowMs: number): readonly CandidateExplanation[] {
    return explainCosts({
      context,
      nowMs,
      members: this.#members,
      state: this.#state,
      cost: this.#cost,
      uniform: this.#uniform,
    });
  }

  /**
   * Two draws are not enough when both fall on bad endpoints: with two bad ones of six that is 1 pick in 15. Looking
   * further only then costs nothing as long as all is well.
   */
  #drawMore(poor: number, nowMs: number): number {
    let best = poor;
    for (let attempt = 0; attempt < MORE_DRAWS; attempt++) {
      const better = this.#cost.better(best, this.#draw.draw(), nowMs);
      if (better >= 0) return better;
      best = ~better;
    }
    return best;
  }

  /** Picks around excluded endpoints and those that are to be left alone; the latter only if there is no one else. */
  #pickAllowed(exclude: readonly number[], nowMs: number): number {
    const slots = this.#slots;
    if (slots.length <= FEW) return this.#lowest(exclude, nowMs);
    let first = NO_INDEX;
    for (let attempt = 0; attempt < MAX_DRAWS; attempt++) {
      const index = this.#draw.draw();
      const slot = slots[index] as number;
      if (index === first || exclude.includes(slot) || this.#state.isHeld(slot, nowMs)) continue;
      if (first === NO_INDEX) first = index;
      else return slots[this.#cost.isLower(index, first, nowMs) ? index : first] as number;
    }
    return first === NO_INDEX ? this.#lowest(exclude, nowMs) : (slots[first] as number);
  }

  /** The lowest cost of all that are not excluded, those on hold last. A tie goes to whoever a random start meets first. */
  #lowest(exclude: readonly number[], nowMs: number): number {
    const slots = this.#slots;
    const count = slots.length;
    if (count === 0) return NO_SLOT;
    const start = count === 1 ? 0 : this.#draw.draw();
    let best = NO_INDEX;
    let bestHeld = true;
    for (let step = 0; step < count; step++) {
      const index = (start + step) % count;
      const slot = slots[index] as number;
      if (exclude.includes(slot)) continue;
      const held = this.#state.isHeld(slot, nowMs);
      if (best !== NO_INDEX && held && !bestHeld) continue;
      if (best === NO_INDEX || (bestHeld && !held) || this.#cost.isLower(index, best, nowMs)) {
        best = index;
        bestHeld = held;
      }
    }
    return best === NO_INDEX ? NO_SLOT : (slots[best] as number);
  }

  /** The next member in turn, if it is time to try it again. One look per call: O(1), and all get their turn. */
  #dueProbe(nowMs: number): number {
    const slots = this.#slots;
    const slot = slots[Math.floor(this.#turn / PICKS_PER_PROBE) % slots.length] as number;
    return this.#cost.isProbeDue(slot, nowMs) ? slot : NO_SLOT;
  }
}

export interface PeakEwmaPickerParts {
  readonly members: Members;
  readonly state: EndpointState;
  readonly environment: PolicyEnvironment;
  /** Of the same group: its trials go on around. */
  readonly earlier: PeakEwmaPicker | undefined;
}
