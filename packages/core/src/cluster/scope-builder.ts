import type { Members } from '../model/members.ts';
import type { Balancer, Picker } from '../policy/policy.ts';
import type { Random } from '../runtime/random.ts';
import { type GroupPlan, planGroups, type PlanRule } from '../topology/plan.ts';
import { type Labels, subsetName } from '../topology/subset.ts';
import { GroupPicker } from './group-picker.ts';
import type { Member } from './member.ts';
import type { PublishedGroup, PublishedScope } from './publication.ts';

export interface ScopeBuilderOptions {
  readonly version: number;
  readonly balancer: Balancer;
  /** Does the policy go by keys? */
  readonly keyed: boolean;
  readonly random: Random;
  readonly rule: PlanRule;
  /** What a member's weight is multiplied by; undefined: nothing, for all of them. */
  readonly factorOf: ((member: Member) => number) | undefined;
  /** Pickers of the last publication by the id of their group. */
  readonly earlier: ReadonlyMap<string, Picker>;
}

/** Makes the scopes of one publication. */
export class ScopeBuilder {
  /** The pickers made so far, by the id of their group. */
  readonly pickers: Map<string, Picker> = new Map();
  readonly #options: ScopeBuilderOptions;

  constructor(options: ScopeBuilderOptions) {
    this.#options = options;
  }

  /** @param labels undefined: everyone @param candidates that carry them, by ascending slot */
  build(labels: Labels | undefined, candidates: readonly Member[]): PublishedScope {
    const { rule, random, keyed } = this.#options;
    const name = labels === undefined ? '' : subsetName(labels);
    const plan = planGroups(candidates, rule);
    const plans = plan.groups.length > 0 ? plan.groups : [nobody(candidates)];
    const groups = plans.map((group) => this.#publish(name, group));
    const [first] = groups as [PublishedGroup, ...PublishedGroup[]];
    const picker =
      groups.length === 1 ? first.picker : new GroupPicker(groups, { random, byKey: keyed });
    return { name, labels, levels: plan.levels, groups, picker };
  }

  #publish(scope: string, plan: GroupPlan<Member>): PublishedGroup {
    const { balancer, earlier } = this.#options;
    const id = scope === '' ? plan.name : `${scope} ${plan.name}`;
    const eligible = this.#membersOf(plan.members);
    const picker = balancer.update(eligible, earlier.get(id));
    this.pickers.set(id, picker);
    return { ...plan, id, eligible, picker };
  }

  #membersOf(members: readonly Member[]): Members {
    const { version, factorOf } = this.#options;
    const slots = new Int32Array(members.length);
    const weights = new Float64Array(members.length);
    const factors = factorOf && new Float64Array(members.length);
    const endpoints = members.map((member, index) => {
      const factor = factorOf === undefined ? 1 : factorOf(member);
      slots[index] = member.slot;
      weights[index] = member.endpoint.weight * factor;
      if (factors !== undefined) factors[index] = factor;
      return member.endpoint;
    });
    const differ = factors?.some((factor) => factor !== factors[0]) === true;
    return { version, slots, weights, endpoints, ...(differ ? { factors } : {}) };
  }
}

/** Stands in while there is nobody, so that there is a picker and what it carries over is not lost. */
function nobody(candidates: readonly Member[]): GroupPlan<Member> {
  const priority = candidates[0]?.endpoint.priority ?? 0;
  return {
    name: `priority ${priority}`,
    priority,
    zone: undefined,
    kind: 'healthy',
    shareRatio: 1,
    members: [],
  };
}
