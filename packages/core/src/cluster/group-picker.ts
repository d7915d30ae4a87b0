import { NO_SLOT, type PickContext } from '../model/pick-context.ts';
import type { CandidateExplanation, Picker } from '../policy/policy.ts';
import { ShareDraw, type ShareDrawOptions } from '../topology/share-draw.ts';
import { isExhausted, type PublishedGroup } from './publication.ts';

/**
 * Picks in several groups of one scope: a draw by the shares of the groups, or the key's own group, and then the policy's
 * pick in there. When that has nobody to offer, because the request excludes them all, the groups of the same priority
 * come next and then the others, the preferred ones first. Allocates nothing.
 */
export class GroupPicker implements Picker {
  readonly #groups: readonly PublishedGroup[];
  readonly #draw: ShareDraw;

  /** @param options.byKey does the policy go by keys? Then a key stays with its group, too */
  constructor(groups: readonly PublishedGroup[], options: ShareDrawOptions) {
    this.#groups = groups;
    this.#draw = new ShareDraw(
      groups.map(({ name, shareRatio }) => ({ name, share: shareRatio })),
      options,
    );
  }

  pick(context: PickContext, nowMs: number): number {
    const first = this.#draw.choose(context.hashKey);
    const slot = (this.#groups[first] as PublishedGroup).picker.pick(context, nowMs);
    return slot === NO_SLOT ? this.#fallThrough(first, context, nowMs) : slot;
  }

  /** Members of all groups, in the order in which this request would come to their groups. */
  explain(context: PickContext, nowMs: number): readonly CandidateExplanation[] {
    const exclude = new Set(context.exclude);
    return this.#ways(context).flatMap(({ group, shareRatio }) =>
      group.picker.explain(context, nowMs).map((candidate) => {
        const { slot, shareRatio: within } = candidate;
        const reason = exclude.has(slot) ? candidate.reason : `${group.name}: ${candidate.reason}`;
        return within === undefined
          ? { ...candidate, reason }
          : { ...candidate, reason, shareRatio: within * shareRatio };
      }),
    );
  }

  /** The group that a request like this one goes to: the key's, or the one with the largest share. */
  groupOf(context: PickContext): PublishedGroup {
    return (this.#ways(context)[0] as GroupWay).group;
  }

  #fallThrough(first: number, context: PickContext, nowMs: number): number {
    const groups = this.#groups;
    const { priority } = groups[first] as PublishedGroup;
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < groups.length; index++) {
        const group = groups[index] as PublishedGroup;
        if (index === first || (group.priority === priority) !== (round === 0)) continue;
        const slot = group.picker.pick(context, nowMs);
        if (slot !== NO_SLOT) return slot;
      }
    }
    return NO_SLOT;
  }

  /** The groups with their shares of requests like this one, the likeliest or the key's own first. */
  #ways({ hashKey, exclude }: PickContext): GroupWay[] {
    const keyed = this.#draw.wayOf(hashKey);
    const shares = this.#groups.map(({ shareRatio }) => shareRatio);
    this.#groups.forEach((group, index) => {
      const share = shares[index] as number;
      if (share === 0 || !isExhausted(group, exclude)) return;
      // What a group cannot take, because the request excludes all of it, the next one in line takes.
      const heir = this.#heirOf(index, exclude);
      if (heir === undefined) return;
      shares[index] = 0;
      shares[heir] = (shares[heir] as number) + share;
    });
    const start = keyed === undefined ? undefined : this.#startOf(keyed, exclude);
    return this.#groups
      .map((group, index) => ({ group, shareRatio: shares[index] as number, index }))
      .sort(
        (a, b) =>
          Number(b.index === start) - Number(a.index === start) || b.shareRatio - a.shareRatio,
      );
  }

  #startOf(first: number, exclude: PickContext['exclude']): number {
    const group = this.#groups[first];
    return group !== undefined && isExhausted(group, exclude)
      ? (this.#heirOf(first, exclude) ?? first)
      : first;
  }

  /** Where a pick that finds nobody in a group ends up. */
  #heirOf(first: number, exclude: PickContext['exclude']): number | undefined {
    const { priority } = this.#groups[first] as PublishedGroup;
    const others = this.#groups
      .map((group, index) => ({ group, index }))
      .filter(({ group, index }) => index !== first && !isExhausted(group, exclude));
    const near = others.find(({ group }) => group.priority === priority);
    return (near ?? others[0])?.index;
  }
}

interface GroupWay {
  readonly group: PublishedGroup;
  readonly shareRatio: number;
}
