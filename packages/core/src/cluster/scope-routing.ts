import type { Endpoint } from '../model/endpoint.ts';
import type { PickContext } from '../model/pick-context.ts';
import type { LevelPlan } from '../topology/plan.ts';
import { hasLabels } from '../topology/subset.ts';
import type { PathStep } from './face.ts';
import { GroupPicker } from './group-picker.ts';
import type { PublishedGroup, PublishedScope, RoutePath, Routing } from './publication.ts';
import type { ScopePicker, ScopeWay } from './scope-picker.ts';

/** Says which way requests go, through the scopes of a {@link ScopePicker} or the only one there is. */
export class ScopeRouting implements Routing {
  readonly #ways: (context: PickContext) => readonly ScopeWay[];
  readonly #isScoped: boolean;

  constructor(picker: Pick<ScopePicker, 'ways'>, isScoped = true) {
    this.#ways = (context) => picker.ways(context);
    this.#isScoped = isScoped;
  }

  /** For the only scope. */
  static of(scope: PublishedScope): ScopeRouting {
    const ways = [{ scope, shareRatio: 1, reason: '' }];
    return new ScopeRouting({ ways: () => ways }, false);
  }

  admits(context: PickContext, endpoint: Endpoint): boolean {
    return this.#ways(context).some(
      ({ scope: { labels, levels }, shareRatio }) =>
        shareRatio > 0 &&
        (labels === undefined || hasLabels(endpoint, labels)) &&
        levels.some((level) => level.priority === endpoint.priority && loadOf(level) > 0),
    );
  }

  path(context: PickContext): RoutePath {
    const way = this.#ways(context)[0];
    if (way === undefined) {
      const reason = 'nobody has what is asked for, and there is no fallback';
      const step: PathStep = { step: 'subset', choice: 'nobody', shareRatio: 1, reason };
      return { steps: [step], panic: false };
    }
    const { scope, shareRatio, reason } = way;
    const choice = scope.name === '' ? 'everyone' : scope.name;
    const group = groupOf(scope, context);
    const level = scope.levels.find(({ priority }) => priority === group.priority);
    const steps = level === undefined ? [] : stepsOf(group, level);
    return {
      steps: this.#isScoped ? [{ step: 'subset', choice, shareRatio, reason }, ...steps] : steps,
      panic: group.kind === 'panic',
    };
  }

  shareOf(scope: PublishedScope, context: PickContext): number {
    let share = 0;
    for (const way of this.#ways(context)) if (way.scope === scope) share += way.shareRatio;
    return share;
  }
}

function groupOf({ picker, groups }: PublishedScope, context: PickContext): PublishedGroup {
  return picker instanceof GroupPicker ? picker.groupOf(context) : (groups[0] as PublishedGroup);
}

function stepsOf(group: PublishedGroup, level: LevelPlan): PathStep[] {
  const steps: PathStep[] = [
    {
      step: 'priority',
      choice: `${level.priority}${group.kind === 'degraded' ? ', degraded' : ''}`,
      shareRatio: loadOf(level) / 100,
      reason: whyLevel(level),
    },
  ];
  if (level.zones !== undefined) {
    steps.push({
      step: 'locality',
      choice: group.zone ?? 'any',
      shareRatio: group.shareRatio,
      reason: level.zones,
    });
  }
  return steps;
}

function whyLevel(level: LevelPlan): string {
  const { healthyCount, degradedCount, candidateCount, degradedPercent, panic } = level;
  const spared = degradedCount === 0 ? '' : `, ${degradedCount} degraded`;
  const share = degradedPercent === 0 ? '' : `; ${degradedPercent} % to degraded ones`;
  return `${healthyCount} of ${candidateCount} healthy${spared}${panic ? ', panic' : ''}${share}`;
}

function loadOf({ healthyPercent, degradedPercent }: LevelPlan): number {
  return healthyPercent + degradedPercent;
}
