import type { Policy } from '../policy.ts';
import { RoundRobinBalancer } from './balancer.ts';
import { type RoundRobinConfig, roundRobinSchema } from './config.ts';

/**
 * One endpoint after the other from a random start. Ignores weights and load: the cheapest pick there is, for equal
 * endpoints and requests of equal cost. `weighted-round-robin` is the one that knows weights.
 */
export const roundRobin: Policy<RoundRobinConfig> = {
  name: 'round-robin',
  keyed: false,
  schema: roundRobinSchema,
  create: (_config, environment) => new RoundRobinBalancer(environment.random),
};
