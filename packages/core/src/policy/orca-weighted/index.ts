import type { Policy } from '../policy.ts';
import { OrcaWeightedBalancer } from './balancer.ts';
import { type OrcaWeightedConfig, orcaWeightedSchema } from './config.ts';

/**
 * Weighted round robin whose weights are what endpoints report of themselves (ORCA; gRFC A58): turns in proportion to the
 * requests per second that each could serve. For endpoints of uneven capacity that changes slowly; it does not look at
 * requests in flight, so it does not dodge what comes and goes within a second.
 */
export const orcaWeighted: Policy<OrcaWeightedConfig> = {
  name: 'orca-weighted',
  keyed: false,
  schema: orcaWeightedSchema,
  create: (config, environment) => new OrcaWeightedBalancer(config, environment),
};
