import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointFields } from '../../model/endpoint.ts';
import { Outcome } from '../../model/outcome.ts';
import { NO_SLOT } from '../../model/pick-context.ts';
import type { StandalonePolicy } from '../standalone.ts';
import { addressOf, endpointSets, keyedPolicy } from '../test-support/keyed.ts';

type Step =
  | { readonly kind: 'request'; readonly key: number }
  | { readonly kind: 'end'; readonly which: number }
  | {
      readonly kind: 'update';
      readonly set: readonly EndpointFields[];
    };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ kind: fc.constant('request' as const), key: fc.nat({ max: 6 }) }),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat() }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('update' as const), set: endpointSets(8) }),
    },
  ),
  { maxLength: 120 },
);

/** Slots and weights of the members now. */
interface Standing {
  readonly policy: StandalonePolicy;
  readonly members: Map<number, number>;
  readonly running: number[];
}

/** The most that the definition allows an endpoint with a total of `active` in flight before the request. */
function capOf(
  active: number,
  weight: number,
  { sum, factor }: { sum: number; factor: number },
): number {
  // Integers all along: the quotients are the only roundings, and both are exact where they are whole.
  const slots = Math.ceil(((active + 1) * factor) / 100);
  return Math.ceil((slots * weight) / sum);
}

function standingOf(policy: StandalonePolicy, set: readonly EndpointFields[]): Map<number, number> {
  return new Map(set.map(({ address = '', weight = 1 }) => [policy.slotOf(address), weight]));
}

function take(step: Step, standing: Standing, factor: number): Standing {
  const { policy, members, running } = standing;
  switch (step.kind) {
    case 'request': {
      let total = 0;
      let sum = 0;
      for (const [slot, weight] of members) {
        total += policy.load.active[slot]!;
        sum += weight;
      }
      const slot = policy.pick({ hashKey: `key-${step.key}` }, 0);
      const weight = members.get(slot)!;
      expect(slot).not.toBe(NO_SLOT);
      expect(policy.load.active[slot]! + 1).toBeLessThanOrEqual(
        capOf(total, weight, { sum, factor }),
      );
      policy.start(slot, 0);
      return { ...standing, running: [...running, slot] };
    }
    case 'end': {
      if (running.length === 0) return standing;
      const which = step.which % running.length;
      policy.finish(running[which]!, Outcome.success, 1, 0);
      return { ...standing, running: running.toSpliced(which, 1) };
    }
    case 'update':
      policy.update(step.set);
      return { ...standing, members: standingOf(policy, step.set) };
  }
}

describe.each(['maglev', 'ring-hash', 'ketama', 'rendezvous'])('bounded-load around %s', (name) => {
  it('lifts no endpoint above its cap, while requests and endpoints come and go', () => {
    const wrapped = name === 'maglev' ? { name, tableSize: 251 } : { name };
    const property = fc.property(
      endpointSets(8),
      steps,
      fc.constantFrom(100, 101, 125, 150, 200, 1000),
      (set, todo, factor) => {
        const options = { name: 'bounded-load', policy: wrapped, factorPercent: factor };
        const policy = keyedPolicy(options, set);
        let standing: Standing = { policy, members: standingOf(policy, set), running: [] };
        for (const step of todo) standing = take(step, standing, factor);
        for (const slot of standing.running) policy.finish(slot, Outcome.success, 1, 0);
        expect(policy.load.active.every((active) => active === 0)).toBe(true);
      },
    );
    fc.assert(property, { seed: 20_260_402, numRuns: 60 });
  });
});

describe('bounded-load with one hot key', () => {
  it.each([
    { factor: 100, count: 10 },
    // 14 slots each at the end: 1050 * (1 / 75) is a hair above 14 in doubles.
    { factor: 100, count: 75 },
    { factor: 125, count: 10 },
    { factor: 125, count: 75 },
    { factor: 200, count: 10 },
  ])('shares it among as many as the factor $factor asks for, of $count', ({ factor, count }) => {
    const endpoints = Array.from({ length: count }, (_, index) => ({ address: addressOf(index) }));
    const policy = keyedPolicy({ name: 'bounded-load', factorPercent: factor }, endpoints);
    const requests = 1_050;
    for (let request = 0; request < requests; request++)
      policy.start(policy.pick({ hashKey: 'hot' }, 0), 0);
    const cap = capOf(requests - 1, 1, { sum: count, factor });
    const loads = [...policy.load.active].slice(0, count).sort((a, b) => b - a);
    expect(loads[0]).toBe(cap);
    expect(loads.reduce((sum, load) => sum + load, 0)).toBe(requests);
    // The order of the overflow belongs to the key: at any time the first so many are full and one has the rest.
    const needed = Array.from({ length: requests }, (_, active) =>
      Math.ceil((active + 1) / capOf(active, 1, { sum: count, factor })),
    );
    const busy = loads.filter((load) => load > 0).length;
    expect(busy).toBeLessThanOrEqual(Math.max(...needed));
  });
});
