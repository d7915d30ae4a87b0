import { NEVER_ELIGIBLE } from '../model/health-state.ts';
import type { Balancer, Picker } from '../policy/policy.ts';
import type { Random } from '../runtime/random.ts';
import type { SplitConfig, SubsetsConfig } from '../topology/config.ts';
import { ShareDraw } from '../topology/share-draw.ts';
import {
  hasLabels,
  type Labels,
  SubsetIndex,
  subsetName,
  type SubsetSelector,
  subsetsOf,
} from '../topology/subset.ts';
import type { Member } from './member.ts';
import { groupsInPanic, type Publication, type PublishedScope } from './publication.ts';
import { ScopeBuilder } from './scope-builder.ts';
import { ScopePicker, type ScopeSplit, type SplitScope } from './scope-picker.ts';
import { ScopeRouting } from './scope-routing.ts';
import type { TopologyBook } from './topology-book.ts';

export interface PublicationBuilderOptions {
  readonly balancer: Balancer;
  /** Does the policy go by keys? */
  readonly keyed: boolean;
  readonly random: Random;
  readonly topology: TopologyBook;
}

/**
 * Makes publications: members to groups by topology, groups to pickers by the policy, pickers to one picker.
 *
 * ```text
 * candidates ─┬─► everyone ───► planGroups ─► group ─► balancer.update ─► picker ─┐
 *             ├─► version=v1 ─► ...                                               ├─► ScopePicker(GroupPicker(picker))
 *             └─► version=v2 ─► ...                                               ┘
 * ```
 *
 * A layer with a single thing in it is left out, so that without topology the policy's own picker is published.
 */
export class PublicationBuilder {
  readonly #options: PublicationBuilderOptions;
  /** Of the last publication, by group: a picker may carry something over to the next one. */
  #pickers: ReadonlyMap<string, Picker> = new Map();
  #version = 0;

  constructor(options: PublicationBuilderOptions) {
    this.#options = options;
  }

  build(members: Iterable<Member>): Publication {
    const { balancer, keyed, random, topology } = this.#options;
    const candidates: Member[] = [];
    let healthyCount = 0;
    for (const member of members) {
      if ((member.flags & NEVER_ELIGIBLE) !== 0 || member.endpoint.weight === 0) continue;
      if (member.reach === 0) continue;
      candidates.push(member);
      if (member.flags === 0) healthyCount++;
    }
    const builder = new ScopeBuilder({
      version: ++this.#version,
      balancer,
      keyed,
      random,
      rule: topology.planRule(),
      factorOf: this.#factorOf(),
      earlier: this.#pickers,
    });
    const parts = this.#partsOf(builder, candidates);
    this.#pickers = builder.pickers;
    return {
      ...parts,
      version: this.#version,
      panics: groupsInPanic(parts.scopes),
      healthyCount,
      candidateCount: candidates.length,
    };
  }

  #partsOf(builder: ScopeBuilder, candidates: readonly Member[]): PublicationParts {
    const { random, topology } = this.#options;
    const { split } = topology;
    const { subsets } = topology.config;
    if (split === undefined && subsets === undefined) {
      const scope = builder.build(undefined, candidates);
      const routing = ScopeRouting.of(scope);
      return { picker: scope.picker, routing, scopes: [scope], subsetsLeftOutCount: 0 };
    }
    const scopes = new ScopeSet(builder, candidates);
    const everyone = needsEveryone(split, subsets) ? scopes.take(undefined) : undefined;
    const byDefault = subsets?.default === undefined ? everyone : scopes.take(subsets.default);
    const sides = split && splitOf(split, scopes, random);
    const { selectors } = subsets ?? { selectors: NO_SELECTORS };
    const named = subsetsOf(candidates, selectors);
    const found = named.subsets.map(
      ({ labels, members }) => [labels, scopes.takeMade(labels, members)] as const,
    );
    const picker = new ScopePicker({
      index: subsets && new SubsetIndex(selectors, found),
      split: sides,
      byDefault,
      everyone,
      fallback: subsets?.fallback ?? 'none',
    });
    return {
      picker,
      routing: new ScopeRouting(picker),
      scopes: scopes.all,
      subsetsLeftOutCount: named.leftOutCount,
    };
  }

  #factorOf(): ((member: Member) => number) | undefined {
    const { keyed, topology } = this.#options;
    const { warmUp, config } = topology;
    if (warmUp === undefined || keyed) {
      return config.aperture === undefined ? undefined : ({ reach }) => reach;
    }
    return (member) => member.reach * warmUp.factorOf(member);
  }
}

type PublicationParts = Pick<Publication, 'picker' | 'routing' | 'scopes' | 'subsetsLeftOutCount'>;

const NO_SELECTORS: readonly SubsetSelector[] = [];

/** The scopes of a publication, each made once, and none with nobody in it but that of everyone. */
class ScopeSet {
  readonly #builder: ScopeBuilder;
  readonly #candidates: readonly Member[];
  readonly #byName = new Map<string, PublishedScope>();

  constructor(builder: ScopeBuilder, candidates: readonly Member[]) {
    this.#builder = builder;
    this.#candidates = candidates;
  }

  /** By name, that of everyone first. */
  get all(): readonly PublishedScope[] {
    return [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @param labels undefined: everyone @returns undefined when no candidate carries the labels */
  take(labels: Labels | undefined): PublishedScope | undefined {
    if (labels === undefined) return this.#made('', labels, () => this.#candidates);
    const name = subsetName(labels);
    if (this.#byName.has(name)) return this.#byName.get(name);
    const members = this.#candidates.filter(({ endpoint }) => hasLabels(endpoint, labels));
    return members.length === 0 ? undefined : this.takeMade(labels, members);
  }

  /** The same where it is known who carries the labels. */
  takeMade(labels: Labels, members: readonly Member[]): PublishedScope {
    return this.#made(subsetName(labels), labels, () => members);
  }

  #made(
    name: string,
    labels: Labels | undefined,
    members: () => readonly Member[],
  ): PublishedScope {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const scope = this.#builder.build(labels, members());
    this.#byName.set(name, scope);
    return scope;
  }
}

/** Must the group of everyone be made, though no side of a split asks for it? */
function needsEveryone(
  split: SplitConfig | undefined,
  subsets: SubsetsConfig | undefined,
): boolean {
  const fallbacks = [subsets?.fallback, ...(subsets?.selectors ?? []).map((one) => one.fallback)];
  return fallbacks.includes('any') || (split === undefined && subsets?.default === undefined);
}

/**
 * The sides with a weight and somebody in them. A side that panics leaves its part to those that do not: its users are
 * better off on another version than on endpoints that fail.
 */
function splitOf(split: SplitConfig, scopes: ScopeSet, random: Random): ScopeSplit {
  const found = Object.entries(split.sides).flatMap(([name, { subset, weight }]) => {
    const scope = weight === 0 ? undefined : scopes.take(subset);
    return scope === undefined ? [] : [{ name, scope, share: weight }];
  });
  const calm = found.filter(({ scope }) => groupsInPanic([scope]).size === 0);
  const taken = calm.length > 0 ? calm : found;
  const sum = taken.reduce((total, { share }) => total + share, 0);
  const sides = taken.map(({ name, scope, share }): SplitScope => ({
    name,
    scope,
    shareRatio: share / sum,
  }));
  return { sides, draw: new ShareDraw(taken, { random, byKey: true }) };
}
