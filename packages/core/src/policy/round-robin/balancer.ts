import type { Members } from '../../model/members.ts';
import type { Random } from '../../runtime/random.ts';
import type { Balancer, Picker } from '../policy.ts';
import { RoundRobinPicker } from './picker.ts';
import { ThinnedRoundRobinPicker } from './thinned-picker.ts';

/** Carries the turn of a group over membership changes, so that frequent ones do not favour the first members. */
export class RoundRobinBalancer implements Balancer {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  update(members: Members, earlier?: Picker): Picker {
    const turns = new RoundRobinPicker(members.slots, this.#random, turnsOf(earlier));
    return members.factors === undefined
      ? turns
      : new ThinnedRoundRobinPicker(turns, members, this.#random);
  }
}

function turnsOf(picker: Picker | undefined): RoundRobinPicker | undefined {
  if (picker instanceof ThinnedRoundRobinPicker) return picker.turns;
  return picker instanceof RoundRobinPicker ? picker : undefined;
}
