import type { Policy } from '../policy.ts';
import { PrequalBalancer } from './balancer.ts';
import { type PrequalConfig, prequalSchema } from './config.ts';

/**
 * Prequal (Wydrowski et al., arXiv 2312.10172): asks a few endpoints with every request how busy they are, and picks by
 * the answers that earlier requests have brought. Right where many clients share endpoints of uneven and changing speed,
 * because no client sees that from its own requests; elsewhere the probes are not worth their cost. Needs endpoints that
 * answer probes.
 */
export const prequal: Policy<PrequalConfig> = {
  name: 'prequal',
  keyed: false,
  schema: prequalSchema,
  create: (config, environment) => new PrequalBalancer(config, environment),
};
