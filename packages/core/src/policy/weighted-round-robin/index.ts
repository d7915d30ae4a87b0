import type { Policy } from '../policy.ts';
import { WeightedRoundRobinBalancer } from './balancer.ts';
import { type WeightedRoundRobinConfig, weightedRoundRobinSchema } from './config.ts';

/**
 * Turns in proportion to the weights, evenly interleaved: closer to the weights than random draws, for endpoints of
 * known unequal capacity and requests of equal cost.
 */
export const weightedRoundRobin: Policy<WeightedRoundRobinConfig> = {
  name: 'weighted-round-robin',
  keyed: false,
  schema: weightedRoundRobinSchema,
  create: (config, { random }) => new WeightedRoundRobinBalancer(config, random),
};
