import { configError } from '../../error/config-error.ts';
import type { Policy } from '../policy.ts';
import { BoundedLoadBalancer } from './balancer.ts';
import { BOUNDED_LOAD, type BoundedLoadConfig, boundedLoadSchema } from './config.ts';

/**
 * Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam, arXiv 1608.01350) around any hash policy:
 * keys stay at home while their home has room, and no pick lifts an endpoint above `factorPercent` of its fair share of
 * the requests in flight. What is too much jumps to endpoints all over the set, in an order that belongs to the key
 * (Chen, Coleman, Shrivastava, arXiv 1908.08762).
 */
export const boundedLoad: Policy<BoundedLoadConfig> = {
  name: BOUNDED_LOAD,
  keyed: true,
  schema: boundedLoadSchema,
  create: ({ policy, factorPercent }, environment) => {
    const { balancer, keyed } = environment.createChild(policy);
    if (!keyed) {
      balancer.close?.();
      throw configError('policy.policy', 'a policy that goes by hash keys', policy);
    }
    return new BoundedLoadBalancer({ child: balancer, factorPercent, environment });
  },
};
