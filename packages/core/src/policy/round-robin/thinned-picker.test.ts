import { describe, expect, it } from 'vitest';
import { createEndpoint } from '../../model/endpoint.ts';
import type { Members } from '../../model/members.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import { XorShift128 } from '../../runtime/random.ts';
import type { Picker } from '../policy.ts';
import { RoundRobinBalancer } from './balancer.ts';
import { RoundRobinPicker } from './picker.ts';
import { ThinnedRoundRobinPicker } from './thinned-picker.ts';

function members(slots: readonly number[], factors?: readonly number[]): Members {
  return {
    version: 1,
    slots: Int32Array.from(slots),
    weights: new Float64Array(slots.length).fill(1),
    ...(factors === undefined ? {} : { factors: Float64Array.from(factors) }),
    endpoints: slots.map((slot) => createEndpoint(`10.0.0.${slot}:80`)),
  };
}

const balancer = (): RoundRobinBalancer => new RoundRobinBalancer(new XorShift128(5));

function shares(picker: Picker, context: PickContext = {}, picks = 20_000): Map<number, number> {
  const found = new Map<number, number>();
  for (let pick = 0; pick < picks; pick++) {
    const slot = picker.pick(context, 0);
    found.set(slot, (found.get(slot) ?? 0) + 1 / picks);
  }
  return found;
}

describe('round robin with factors', () => {
  it.each([
    { factors: [1, 1, 0.1, 0.5], exclude: undefined },
    { factors: [8, 4, 4, 8], exclude: undefined },
    { factors: [1, 0.2, 0.2, 0.2], exclude: [0] },
  ])('gives turns in proportion to them: $factors without $exclude', ({ factors, exclude }) => {
    const picker = balancer().update(members([1, 3, 4, 9], factors));
    expect(picker).toBeInstanceOf(ThinnedRoundRobinPicker);
    const context = { exclude };
    const found = shares(picker, context);
    for (const { slot, shareRatio = 0 } of picker.explain(context, 0)) {
      // Five standard deviations of a share of one half over 20,000 picks are 1.8 %.
      expect(Math.abs((found.get(slot) ?? 0) - shareRatio)).toBeLessThan(0.018);
    }
  });

  it('is plain round robin without them, and the turn goes on from one to the other', () => {
    const robin = balancer();
    const first = robin.update(members([0, 1, 2]));
    expect(first).toBeInstanceOf(RoundRobinPicker);
    const turn = first.pick({}, 0);
    const thinned = robin.update(members([0, 1, 2], [1, 1, 1]), first);
    expect(thinned.pick({}, 0)).toBe((turn + 1) % 3);
    const last = robin.update(members([0, 1, 2]), thinned);
    expect(last.pick({}, 0)).toBe((turn + 2) % 3);
  });

  it('ends although everyone is excluded', () => {
    const picker = balancer().update(members([0, 1], [1, 0.1]));
    expect(picker.pick({ exclude: [0, 1] }, 0)).toBe(NO_SLOT);
    expect(picker.pick({ exclude: [0] }, 0)).toBe(1);
    expect(balancer().update(members([], [])).pick({}, 0)).toBe(NO_SLOT);
  });
});
