import type { Policy } from '../policy.ts';
import { LeastRequestBalancer } from './balancer.ts';
import { type LeastRequestConfig, leastRequestSchema } from './config.ts';

/**
 * Fewest requests in flight, by the power of two choices: draw two endpoints, take the less busy one. Adapts to slow
 * endpoints without measuring time. Failed requests go on counting for a while, or an endpoint that fails at once would
 * look idle and draw the traffic.
 */
export const leastRequest: Policy<LeastRequestConfig> = {
  name: 'least-request',
  keyed: false,
  schema: leastRequestSchema,
  create: (config, environment) => new LeastRequestBalancer(config, environment),
};
