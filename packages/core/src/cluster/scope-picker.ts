import { NO_SLOT, type PickContext } from '../model/pick-context.ts';
import type { CandidateExplanation, Picker } from '../policy/policy.ts';
import type { ShareDraw } from '../topology/share-draw.ts';
import type { SubsetFallback, SubsetIndex } from '../topology/subset.ts';
import { isExhausted, type PublishedScope } from './publication.ts';

/** How requests choose their scope. Scopes with nobody in them are left out everywhere. */
export interface ScopeParts {
  /** Undefined: requests cannot name subsets, and what they name is ignored. */
  readonly index: SubsetIndex<PublishedScope> | undefined;
  readonly split: ScopeSplit | undefined;
  /** For requests that name no subset, when there is no split. */
  readonly byDefault: PublishedScope | undefined;
  readonly everyone: PublishedScope | undefined;
  /** Where no selector says otherwise. */
  readonly fallback: SubsetFallback;
}

/** The sides of a split, and what chooses one of them. */
export interface ScopeSplit {
  readonly sides: readonly SplitScope[];
  readonly draw: ShareDraw;
}

export interface SplitScope {
  readonly name: string;
  /** Part of the requests that name no subset. */
  readonly shareRatio: number;
  readonly scope: PublishedScope;
}

/** One way that a request may take, and why. */
export interface ScopeWay {
  readonly scope: PublishedScope;
  /** Of the requests like this one. */
  readonly shareRatio: number;
  readonly reason: string;
}

/** Finds the scope of a request, and picks in there; a scope that has nobody to offer leads to its fallback. */
export class ScopePicker implements Picker {
  readonly #parts: ScopeParts;

  constructor(parts: ScopeParts) {
    this.#parts = parts;
  }

  pick(context: PickContext, nowMs: number): number {
    const { index, split, byDefault, fallback } = this.#parts;
    const { subset } = context;
    if (subset !== undefined && index !== undefined) {
      const asked = index.find(subset);
      const slot = asked === undefined ? NO_SLOT : asked.picker.pick(context, nowMs);
      if (slot !== NO_SLOT) return slot;
      const next = this.#fallbackScope(index.fallbackOf(subset) ?? fallback);
      return next === undefined ? NO_SLOT : next.picker.pick(context, nowMs);
    }
    const slot =
      split === undefined
        ? (byDefault?.picker.pick(context, nowMs) ?? NO_SLOT)
        : this.#pickSide(split, context, nowMs);
    if (slot !== NO_SLOT) return slot;
    const next = this.#fallbackScope(fallback);
    return next === undefined ? NO_SLOT : next.picker.pick(context, nowMs);
  }

  explain(context: PickContext, nowMs: number): readonly CandidateExplanation[] {
    const bySlot = new Map<number, CandidateExplanation>();
    for (const { scope, shareRatio } of this.ways(context)) {
      for (const candidate of scope.picker.explain(context, nowMs)) {
        const own =
          candidate.shareRatio === undefined
            ? candidate
            : { ...candidate, shareRatio: candidate.shareRatio * shareRatio };
        const known = bySlot.get(candidate.slot);
        // An endpoint on two sides of a split gets its part of both.
        bySlot.set(candidate.slot, known === undefined ? own : joined(known, own));
      }
    }
    return [...bySlot.values()];
  }

  /**
   * The scopes that a request like this one comes to, the likeliest or the key's own first; more than one where a split is
   * drawn. Those that have nobody left for it come last, with no share.
   */
  ways(context: PickContext): readonly ScopeWay[] {
    const { index, split, byDefault, fallback } = this.#parts;
    const { subset } = context;
    if (subset !== undefined && index !== undefined) {
      const scope = index.find(subset);
      const asked = scope === undefined ? [] : [{ scope, shareRatio: 1, reason: 'asked for' }];
      return this.#orFallback(asked, index.fallbackOf(subset) ?? fallback, context);
    }
    if (split !== undefined) {
      return this.#orFallback(splitWays(split, context), fallback, context);
    }
    const unasked =
      byDefault === undefined
        ? []
        : [{ scope: byDefault, shareRatio: 1, reason: 'nothing is asked for' }];
    return this.#orFallback(unasked, fallback, context);
  }

  #orFallback(
    ways: readonly ScopeWay[],
    fallback: SubsetFallback,
    { exclude }: PickContext,
  ): readonly ScopeWay[] {
    if (ways.some(({ scope }) => hasSomeone(scope, exclude))) return ways;
    const scope = this.#fallbackScope(fallback);
    if (scope === undefined || !hasSomeone(scope, exclude)) return ways;
    const why = ways.length === 0 ? 'nobody has what is asked for' : 'all others are excluded';
    return [
      { scope, shareRatio: 1, reason: `${why}; fallback ${fallback}` },
      ...ways.filter((way) => way.scope !== scope).map((way) => ({ ...way, shareRatio: 0 })),
    ];
  }

  #fallbackScope(fallback: SubsetFallback): PublishedScope | undefined {
    switch (fallback) {
      case 'any':
        return this.#parts.everyone;
      case 'default':
        return this.#parts.byDefault;
      case 'none':
        return undefined;
    }
  }

  #pickSide({ sides, draw }: ScopeSplit, context: PickContext, nowMs: number): number {
    if (sides.length === 0) return NO_SLOT;
    const first = draw.choose(context.hashKey);
    const slot = (sides[first] as SplitScope).scope.picker.pick(context, nowMs);
    if (slot !== NO_SLOT) return slot;
    for (let index = 0; index < sides.length; index++) {
      if (index === first) continue;
      const other = (sides[index] as SplitScope).scope.picker.pick(context, nowMs);
      if (other !== NO_SLOT) return other;
    }
    return NO_SLOT;
  }
}

function splitWays(
  { sides, draw }: ScopeSplit,
  { hashKey, exclude }: PickContext,
): readonly ScopeWay[] {
  if (sides.length === 0) return [];
  const bound = draw.wayOf(hashKey);
  const shares = sides.map(({ shareRatio }, index) =>
    bound === undefined ? shareRatio : Number(index === bound),
  );
  const heir = sides.findIndex(({ scope }) => hasSomeone(scope, exclude));
  const ways = sides.map(({ name, shareRatio, scope }, index) => {
    const led = index === bound ? ', the key leads there' : '';
    const reason = `side '${name}' takes ${percent(shareRatio)} of the split${led}`;
    // What a side cannot take, because the request excludes all of it, the first that can takes.
    if (heir >= 0 && index !== heir && !hasSomeone(scope, exclude)) {
      shares[heir] = (shares[heir] as number) + (shares[index] as number);
      shares[index] = 0;
    }
    return { scope, reason, index };
  });
  return ways
    .map(({ scope, reason, index }) => ({ scope, reason, shareRatio: shares[index] as number }))
    .sort((a, b) => b.shareRatio - a.shareRatio);
}

function hasSomeone({ groups }: PublishedScope, exclude: PickContext['exclude']): boolean {
  return groups.some((group) => !isExhausted(group, exclude));
}

function joined(a: CandidateExplanation, b: CandidateExplanation): CandidateExplanation {
  return a.shareRatio === undefined || b.shareRatio === undefined
    ? a
    : { ...a, shareRatio: a.shareRatio + b.shareRatio };
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
