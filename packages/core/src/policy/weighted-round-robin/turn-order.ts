import { EdfScheduler } from '../../algorithm/edf.ts';
import { uniformBelow } from '../../algorithm/random-source.ts';
import { SmoothWeightedRoundRobin } from '../../algorithm/smooth-wrr.ts';
import type { Members } from '../../model/members.ts';
import type { Random } from '../../runtime/random.ts';
import type { WeightedRoundRobinConfig } from './config.ts';

/** Who is due when in one group. Shared by its successive pickers, so that the order survives them. */
export class TurnOrder {
  readonly #random: Random;
  readonly #schedule: EdfScheduler | SmoothWeightedRoundRobin;
  /** Turns to skip once there are members. EDF needs none: it starts its endpoints at random phases. */
  #startsAnywhere: boolean;

  constructor({ algorithm }: WeightedRoundRobinConfig, random: Random) {
    this.#random = random;
    this.#startsAnywhere = algorithm === 'smooth';
    this.#schedule =
      algorithm === 'smooth' ? new SmoothWeightedRoundRobin() : new EdfScheduler({ random });
  }

  /** Takes new members; those that stay keep their credit. */
  update({ slots, weights }: Members): void {
    this.#schedule.update(slots, weights);
    if (!this.#startsAnywhere || slots.length === 0) return;
    this.#startsAnywhere = false;
    // Or a fleet of clients that start together marches in step.
    for (let turn = uniformBelow(this.#random, slots.length); turn > 0; turn--)
      this.#schedule.pick();
  }

  /** The slot whose turn it is, or `NO_SLOT` without members. Takes the turn. */
  pick(): number {
    return this.#schedule.pick();
  }
}
