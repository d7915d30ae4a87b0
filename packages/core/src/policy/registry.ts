import { configError } from '../error/config-error.ts';
import { decode } from '../schema/decode.ts';
import type { Balancer, Policy, PolicyEnvironment, PolicyOptions } from './policy.ts';

/** A policy with its options checked, ready to create balancers. */
export interface DecodedPolicy {
  readonly policy: Policy;
  readonly config: unknown;
}

/**
 * Policies by name. There is no global one: every cluster gets the built-in policies and whatever else its user
 * passes, so that two parts of a program cannot disturb each other.
 */
export class PolicyRegistry {
  readonly #policies = new Map<string, Policy>();

  constructor(policies: Iterable<Policy>) {
    for (const policy of policies) this.#policies.set(policy.name, policy);
  }

  get names(): readonly string[] {
    return [...this.#policies.keys()];
  }

  /** All policies, in the order given. */
  get policies(): readonly Policy[] {
    return [...this.#policies.values()];
  }

  /** Checks a name and its options. @throws ConfigError below `path` */
  decode(options: PolicyOptions, path = 'policy'): DecodedPolicy {
    const { name, ...rest } = typeof options === 'string' ? { name: options } : options;
    const policy = this.#policies.get(name);
    if (policy === undefined) {
      throw configError(
        typeof options === 'string' ? path : `${path}.name`,
        `one of ${this.names.join(', ')}`,
        name,
      );
    }
    return { policy, config: decodeOptions(policy, rest, path) };
  }

  /** Builds a live policy. @throws ConfigError below `path` */
  create(decoded: DecodedPolicy, environment: Omit<PolicyEnvironment, 'createChild'>): Balancer {
    return decoded.policy.create(decoded.config, {
      ...environment,
      createChild: (options) => {
        const child = this.decode(options, 'policy.policy');
        return { balancer: this.create(child, environment), keyed: child.policy.keyed };
      },
    });
  }
}

function decodeOptions(policy: Policy, options: Record<string, unknown>, path: string): unknown {
  if (policy.schema === undefined) {
    const unknown = Object.keys(options)[0];
    if (unknown !== undefined) {
      throw configError(
        `${path}.${unknown}`,
        `no option: policy '${policy.name}' takes none`,
        options[unknown],
      );
    }
    return undefined;
  }
  return decode(policy.schema, options, path);
}
