import type { Members } from '../../model/members.ts';
import type { Random } from '../../runtime/random.ts';
import type { Balancer, Picker } from '../policy.ts';
import type { WeightedRoundRobinConfig } from './config.ts';
import { WeightedRoundRobinPicker } from './picker.ts';
import { TurnOrder } from './turn-order.ts';

/** Carries the order of turns of a group over membership changes: endpoints that stay keep the credit they have. */
export class WeightedRoundRobinBalancer implements Balancer {
  readonly #config: WeightedRoundRobinConfig;
  readonly #random: Random;

  constructor(config: WeightedRoundRobinConfig, random: Random) {
    this.#config = config;
    this.#random = random;
  }

  update(members: Members, earlier?: Picker): WeightedRoundRobinPicker {
    const turns =
      earlier instanceof WeightedRoundRobinPicker
        ? earlier.turns
        : new TurnOrder(this.#config, this.#random);
    turns.update(members);
    return new WeightedRoundRobinPicker(members, turns, this.#random);
  }
}
