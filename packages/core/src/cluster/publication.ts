import type { Endpoint } from '../model/endpoint.ts';
import type { Members } from '../model/members.ts';
import type { PickContext } from '../model/pick-context.ts';
import type { Picker } from '../policy/policy.ts';
import type { GroupPlan, LevelPlan } from '../topology/plan.ts';
import type { Labels } from '../topology/subset.ts';
import type { PathStep } from './face.ts';
import type { Member } from './member.ts';

/** What is published in one swap: who may be picked, and the picker over them. */
export interface Publication {
  /** Grows with every publication. */
  readonly version: number;
  /** What requests go through. Without topology it is the policy's own. */
  readonly picker: Picker;
  readonly routing: Routing;
  /** By name, that of everyone first if there is one. */
  readonly scopes: readonly PublishedScope[];
  /** Subsets that there were too many of. */
  readonly subsetsLeftOutCount: number;
  /** Groups that take traffic and ignore health, by id. */
  readonly panics: ReadonlyMap<string, PanicLevel>;
  readonly healthyCount: number;
  /** Members that could take traffic if they were healthy: not draining, not disabled, weight above 0, in reach. */
  readonly candidateCount: number;
}

/** The endpoints that a request may go to by what it asks for: all of them, or a subset. */
export interface PublishedScope {
  /** '' for everyone, else as `subsetName` says. */
  readonly name: string;
  readonly labels: Labels | undefined;
  readonly levels: readonly LevelPlan[];
  readonly groups: readonly PublishedGroup[];
  readonly picker: Picker;
}

/** Members that the policy chooses from as one. */
export interface PublishedGroup extends GroupPlan<Member> {
  /** Unique in the cluster, and the same from one publication to the next. */
  readonly id: string;
  readonly eligible: Members;
  readonly picker: Picker;
}

/** What explanations and trials ask about the way of a request. Ordinary picks do not need it. */
export interface Routing {
  /** Might a request like this one come to an endpoint, were it healthy? */
  admits(context: PickContext, endpoint: Endpoint): boolean;
  /** The way of a request like this one down to its group; by the largest share where it is drawn. */
  path(context: PickContext): RoutePath;
  /** Part of the requests like this one that comes to a scope. */
  shareOf(scope: PublishedScope, context: PickContext): number;
}

export interface RoutePath {
  readonly steps: readonly PathStep[];
  /** Is health ignored where it ends? */
  readonly panic: boolean;
}

/** A priority level that panics, or did. */
export interface PanicLevel {
  readonly scope: string;
  readonly priority: number;
  readonly healthyCount: number;
  readonly candidateCount: number;
}

/** Groups that take traffic and ignore health, by their id. */
export function groupsInPanic(scopes: readonly PublishedScope[]): ReadonlyMap<string, PanicLevel> {
  const found = new Map<string, PanicLevel>();
  for (const scope of scopes) {
    for (const { id, kind, shareRatio, priority } of scope.groups) {
      if (kind === 'panic' && shareRatio > 0) found.set(id, levelAt(scope, priority));
    }
  }
  return found;
}

/** How a level that did panic stands now. */
export function levelNow({ scopes }: Publication, { scope, priority }: PanicLevel): PanicLevel {
  const found = scopes.find(({ name }) => name === scope);
  return found === undefined
    ? { scope, priority, healthyCount: 0, candidateCount: 0 }
    : levelAt(found, priority);
}

function levelAt({ name: scope, levels }: PublishedScope, priority: number): PanicLevel {
  const level = levels.find((candidate) => candidate.priority === priority);
  const { healthyCount = 0, candidateCount = 0 } = level ?? {};
  return { scope, priority, healthyCount, candidateCount };
}

/** Is there an endpoint that may be picked? */
export function hasAnyone({ scopes }: Publication): boolean {
  return scopes.some(({ groups }) => groups.some(({ eligible }) => eligible.slots.length > 0));
}

/** Has a group nobody to offer to a request with these exclusions? */
export function isExhausted(
  { eligible }: PublishedGroup,
  exclude: PickContext['exclude'] = [],
): boolean {
  return eligible.slots.every((slot) => exclude.includes(slot));
}

/** Slots that may be picked at all. */
export function eligibleSlots({ scopes }: Publication): Set<number> {
  const slots = new Set<number>();
  for (const { groups } of scopes) {
    for (const { eligible } of groups) for (const slot of eligible.slots) slots.add(slot);
  }
  return slots;
}
