import type { PickContext } from '../model/pick-context.ts';
import type { PathStep } from './face.ts';

export interface AffinitySources {
  readonly policy: string;
  /** Does the policy go by keys? */
  readonly keyed: boolean;
  /** Do keys decide on the side of a split? */
  readonly keyedSplit: boolean;
  readonly context: PickContext;
}

/** What the key of a request decided; no step where there is no key and none is asked for. The key itself is not told. */
export function explainAffinity(sources: AffinitySources): readonly PathStep[] {
  const { keyed, context } = sources;
  const hasKey = context.hashKey !== undefined;
  if (!hasKey && !keyed) return [];
  return [
    {
      step: 'affinity',
      choice: hasKey ? 'key' : 'no key',
      shareRatio: 1,
      reason: whyKey(sources, hasKey),
    },
  ];
}

function whyKey({ policy, keyed, keyedSplit, context }: AffinitySources, hasKey: boolean): string {
  if (!keyed) {
    return keyedSplit && context.subset === undefined
      ? `the key leads to its side of the split, where ${policy} picks anyone`
      : `${policy} does not go by keys: the key is ignored`;
  }
  return hasKey
    ? `${policy}: equal keys lead to the same endpoint`
    : `${policy} goes by keys, and there is none: any endpoint`;
}
