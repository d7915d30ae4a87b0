import { definePolicy, type Policy, type PolicyOptions } from '@evenkeel/core';

/** One policy in one configuration. */
export interface Contender {
  /** Stable: part of the names of figures. */
  readonly name: string;
  readonly policy: PolicyOptions;
  /** Does each answer bring a load report? */
  readonly reports?: boolean;
  /** Numbers of endpoints, where not all of them make sense. */
  readonly sizes?: readonly number[];
  /** Goal for pick + start + finish at 10,000 endpoints, in nanoseconds. */
  readonly targetNs?: number;
}

export const SIZES: readonly number[] = [10, 1_000, 10_000];

/** What a pick costs that does nothing but choose a random index. */
export const FLOOR = 'floor';

export const CONTENDERS: readonly Contender[] = [
  { name: FLOOR, policy: 'floor' },
  { name: 'floor-math-random', policy: 'floor-math-random' },
  { name: 'round-robin', policy: 'round-robin', targetNs: 10 },
  { name: 'random', policy: 'random' },
  { name: 'least-request', policy: 'least-request', targetNs: 40 },
  { name: 'least-request-scan', policy: { name: 'least-request', fullScan: true } },
  { name: 'peak-ewma', policy: 'peak-ewma', targetNs: 100 },
  { name: 'weighted-round-robin', policy: 'weighted-round-robin', targetNs: 120 },
  { name: 'smooth', policy: { name: 'weighted-round-robin', algorithm: 'smooth' } },
  { name: 'maglev', policy: 'maglev', targetNs: 130 },
  { name: 'ring-hash', policy: 'ring-hash' },
  { name: 'ketama', policy: 'ketama' },
  { name: 'rendezvous', policy: 'rendezvous' },
  { name: 'bounded-load', policy: 'bounded-load' },
  // With a probe and its answer per request, and with reports instead of probes.
  { name: 'prequal', policy: { name: 'prequal', maxProbesPerSecond: 100_000 }, targetNs: 500 },
  { name: 'prequal-reports', policy: { name: 'prequal', probesPerRequest: 0 }, reports: true },
  { name: 'orca-weighted', policy: 'orca-weighted', reports: true },
];

/** The floors, as policies, so that they run through the same code as the others. */
export const FLOOR_POLICIES: readonly Policy[] = [
  definePolicy({
    name: 'floor',
    keyed: false,
    create: (_config, { random }) => ({
      update: ({ slots }) => ({
        pick: () =>
          slots[Math.floor((random.nextInt32() >>> 0) * 2 ** -32 * slots.length)] as number,
        explain: () => [],
      }),
    }),
  }),
  definePolicy({
    name: 'floor-math-random',
    keyed: false,
    create: () => ({
      update: ({ slots }) => ({
        pick: () => slots[Math.floor(Math.random() * slots.length)] as number,
        explain: () => [],
      }),
    }),
  }),
];

/** Addresses of a service of this size. */
export function addresses(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, index) => {
    const host = first + index;
    return `10.${host >> 16}.${(host >> 8) & 255}.${host & 255}:8080`;
  });
}
