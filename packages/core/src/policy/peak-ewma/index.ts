import type { Policy } from '../policy.ts';
import { PeakEwmaBalancer } from './balancer.ts';
import { type PeakEwmaConfig, peakEwmaSchema } from './config.ts';

/**
 * The default policy: the better of two random endpoints by expected time to a good answer. Slow endpoints lose by their
 * latency average, busy ones by their requests in flight, failing ones by their success rate, hung ones by the age of
 * what they have not answered, and those that ask to be left alone are.
 */
export const peakEwma: Policy<PeakEwmaConfig> = {
  name: 'peak-ewma',
  keyed: false,
  schema: peakEwmaSchema,
  create: (config, environment) => new PeakEwmaBalancer(config, environment),
};
