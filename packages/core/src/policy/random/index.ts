import type { Policy } from '../policy.ts';
import { type RandomConfig, randomSchema } from './config.ts';
import { RandomPicker } from './picker.ts';

/**
 * Random choice in proportion to the weights, 10 ns at any number of endpoints (alias method). Knows nothing of load:
 * the yardstick for the others, and good enough for many short requests of equal cost.
 */
export const random: Policy<RandomConfig> = {
  name: 'random',
  keyed: false,
  schema: randomSchema,
  create: (_config, environment) => ({
    update: (members) => new RandomPicker(members, environment.random),
  }),
};
