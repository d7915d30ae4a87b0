import * as fc from 'fast-check';
import type { EndpointFields } from '../../model/endpoint.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import { XorShift128 } from '../../runtime/random.ts';
import type { PolicyOptions } from '../policy.ts';
import { createPolicy, type StandalonePolicy } from '../standalone.ts';

/** Every hash policy in every mode, for tests of what they have in common. */
export const KEYED_POLICIES: readonly PolicyOptions[] = [
  // A table small enough for many runs, and large against the sets below.
  { name: 'maglev', tableSize: 2039 },
  { name: 'ring-hash' },
  { name: 'ring-hash', mode: 'native', pointsPerWeight: 20 },
  { name: 'ring-hash', hashFunction: 'murmur2' },
  { name: 'ketama' },
  { name: 'rendezvous' },
  { name: 'bounded-load', policy: { name: 'maglev', tableSize: 2039 } },
  { name: 'bounded-load', policy: 'rendezvous' },
];

/** Those whose keys move only from and to the endpoints that come and go, never between those that stay. */
export const MINIMAL_POLICIES: readonly PolicyOptions[] = [
  { name: 'ring-hash', mode: 'native', pointsPerWeight: 20 },
  { name: 'rendezvous' },
];

export function titleOf(options: PolicyOptions): string {
  return JSON.stringify(options);
}

export function keyedPolicy(
  options: PolicyOptions,
  endpoints: readonly EndpointFields[],
  seed = 1,
): StandalonePolicy {
  return createPolicy(options, { endpoints, random: new XorShift128(seed) });
}

/** `count` endpoints `10.0.0.0:80`, ... with weights if given. */
export function endpointsOf(
  count: number,
  weightOf: (index: number) => number = () => 1,
): EndpointFields[] {
  return Array.from({ length: count }, (_, index) => ({
    address: addressOf(index),
    weight: weightOf(index),
  }));
}

export function addressOf(index: number): string {
  return `10.0.${index >> 8}.${index & 255}:80`;
}

export function hashKeys(count: number, prefix = 'user'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}

/** Id of the endpoint that a pick takes; undefined for none. */
export function pickedId(policy: StandalonePolicy, context: PickContext): string | undefined {
  const slot = policy.pick(context, 0);
  return slot === NO_SLOT ? undefined : policy.endpoint(slot)?.id;
}

/** Id of the endpoint of each key. */
export function placement(
  policy: StandalonePolicy,
  keys: readonly string[],
): (string | undefined)[] {
  return keys.map((hashKey) => pickedId(policy, { hashKey }));
}

/** How many keys each endpoint has. */
export function countById(ids: readonly (string | undefined)[]): Map<string | undefined, number> {
  const counts = new Map<string | undefined, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** 1 to `max` endpoints with distinct addresses, weights 1 to 20, in any order. */
export function endpointSets(max = 12): fc.Arbitrary<EndpointFields[]> {
  return fc.uniqueArray(
    fc.record({
      address: fc.nat({ max: 400 }).map(addressOf),
      weight: fc.integer({ min: 1, max: 20 }),
    }),
    { minLength: 1, maxLength: max, selector: ({ address }) => address },
  );
}

/**
 * Five standard deviations of the number of successes among `draws` with the given probability: exceeded by chance once
 * in two million times.
 */
export function fiveSigma(draws: number, probability: number): number {
  return 5 * Math.sqrt(draws * probability * (1 - probability)) + 1;
}

/** Owned share of every endpoint, by id. */
export function sharesById(policy: StandalonePolicy): Map<string, number> {
  return new Map(
    policy
      .explain({}, 0)
      .map(({ slot, shareRatio = Number.NaN }) => [policy.endpoint(slot)?.id ?? '', shareRatio]),
  );
}

/** What the loss of endpoints does to keys, in percent of all keys. */
export interface Disruption {
  /** Keys of the endpoints lost: they have to move. */
  readonly unavoidablePercent: number;
  /** Keys that moved from one survivor to another. */
  readonly excessPercent: number;
}

/** Removes the endpoints with the given indexes of `endpointsOf(count)`, and looks where `keys` were and are. */
export function disruptionOf(
  options: PolicyOptions,
  {
    count,
    removed,
    keys,
  }: { count: number; removed: ReadonlySet<number>; keys: readonly string[] },
): Disruption {
  const endpoints = endpointsOf(count);
  const gone = new Set([...removed].map(addressOf));
  const policy = keyedPolicy(options, endpoints);
  const before = placement(policy, keys);
  policy.update(endpoints.filter((_, index) => !removed.has(index)));
  const after = placement(policy, keys);
  let lost = 0;
  let moved = 0;
  before.forEach((id, index) => {
    if (id !== undefined && gone.has(id)) lost++;
    else if (after[index] !== id) moved++;
  });
  return {
    unavoidablePercent: (100 * lost) / keys.length,
    excessPercent: (100 * moved) / keys.length,
  };
}
