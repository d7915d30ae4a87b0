import { describe, expect, it } from 'vitest';
import type { PickContext } from '../model/pick-context.ts';
import type { TopologyOptions } from '../topology/config.ts';
import { clusterBench } from './test-support/cluster-bench.ts';

const SPLIT: TopologyOptions = { split: { sides: { one: { weight: 1 }, other: { weight: 1 } } } };
const KEY: PickContext = { hashKey: 'a' };

function reasonOf(policy: string, context: PickContext, topology: TopologyOptions = {}): unknown {
  const bench = clusterBench({ policy, topology });
  bench.deliver('10.0.0.1:80', '10.0.0.2:80');
  return bench.cluster.explain(context).path.find(({ step }) => step === 'affinity')?.reason;
}

describe('what the key of a request decides', () => {
  it('is the endpoint under a policy that goes by keys', () => {
    expect(reasonOf('maglev', KEY)).toBe('maglev: equal keys lead to the same endpoint');
    expect(reasonOf('maglev', {})).toBe('maglev goes by keys, and there is none: any endpoint');
  });

  it('is the side of a split under any policy', () => {
    expect(reasonOf('random', KEY, SPLIT)).toBe(
      'the key leads to its side of the split, where random picks anyone',
    );
  });

  it('is nothing elsewhere, and no step where there is no key', () => {
    expect(reasonOf('random', KEY)).toBe('random does not go by keys: the key is ignored');
    expect(reasonOf('random', {})).toBeUndefined();
  });
});
