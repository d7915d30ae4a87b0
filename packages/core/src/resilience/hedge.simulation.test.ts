/**
 * Hedging in virtual time: one client, endpoints without queues, one answer in a hundred takes a second. What it does
 * to the tail, what it costs, and what happens when losers are not recorded.
 */
import { describe, expect, it } from 'vitest';
import { uniformPositive, uniformUnit } from '../algorithm/random-source.ts';
import { XorShift128 } from '../runtime/random.ts';
import type { HedgeOptions } from './hedge-config.ts';
import { HedgePolicy } from './hedge-policy.ts';
import { HedgeRace } from './hedge-race.ts';
import { RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';
import { EventQueue } from './test-support/event-queue.ts';

interface Setting {
  readonly hedge: HedgeOptions | undefined;
  readonly budget?: RetryBudgetOptions;
  /** Record the first tries that lost, as the documentation says? */
  readonly recordLosers?: boolean;
  readonly slowRatio?: number;
  /** Mean of the exponential time of the other answers. */
  readonly meanMs?: number;
}

interface Result {
  readonly p99Ms: number;
  /** Hedges per request, in the second half of the run. */
  readonly extraLoad: number;
  readonly delayMs: number;
}

const REQUESTS = 60_000;
const PER_SECOND = 500;

function simulate(setting: Setting): Result {
  const { slowRatio = 0.01, meanMs = 10, recordLosers = true } = setting;
  const events = new EventQueue();
  const random = new XorShift128(51);
  const budget = new RetryBudget(setting.budget);
  const policy = new HedgePolicy(setting.hedge ?? { delayMs: 600_000 }, { budget });
  const latencies: number[] = [];
  let hedges = 0;
  const request = { idempotent: true, replayable: true };

  const serviceMs = (): number =>
    uniformUnit(random) < slowRatio ? 1_000 : -Math.log(uniformPositive(random)) * meanMs;

  const begin = (index: number): void => {
    const startMs = events.nowMs;
    const race = new HedgeRace();
    budget.deposit(startMs);
    const send = (): void => {
      const isFirst = race.begin() === 0;
      events.after(serviceMs(), () => {
        const tookMs = events.nowMs - startMs;
        if (race.settle(true) !== 'win') return;
        latencies.push(tookMs);
        // The first try answered, or is cancelled now: at least as slow as this.
        if (isFirst || recordLosers) policy.observe(tookMs);
      });
    };
    send();
    const delayMs = policy.delayMs(startMs);
    if (delayMs === Number.POSITIVE_INFINITY) return;
    events.after(delayMs, () => {
      if (race.decided || policy.tryHedge(request, race.hedges, events.nowMs) !== 'hedge') return;
      if (index >= REQUESTS / 2) hedges++;
      send();
    });
  };

  for (let index = 0; index < REQUESTS; index++)
    events.at((index * 1_000) / PER_SECOND, () => begin(index));
  events.runUntil(1e9);
  latencies.sort((a, b) => a - b);
  return {
    p99Ms: latencies[Math.floor(latencies.length * 0.99)]!,
    extraLoad: hedges / (REQUESTS / 2),
    delayMs: policy.delayMs((REQUESTS * 1_000) / PER_SECOND),
  };
}

describe('hedging at the 95th percentile', () => {
  const without = simulate({ hedge: undefined, slowRatio: 0.02 });
  const hedged = simulate({ hedge: { percentile: 95 }, slowRatio: 0.02 });

  it('brings the tail down to the delay and one more answer', () => {
    // 2 % take a second, so without hedges that is the 99th percentile. The 95th is where exp(-t/10) * 0.98 = 0.03,
    // 35 ms; a hedge then takes 10 ms more on average, and 46 ms at its own 99th.
    expect(without.p99Ms).toBe(1_000);
    expect(hedged.p99Ms).toBeLessThan(35 * 1.09 + 46);
    expect(hedged.delayMs).toBeGreaterThan(35 / 1.1);
    expect(hedged.delayMs).toBeLessThan(35 * 1.1);
  });

  it('costs the share of requests above the percentile: 5 %', () => {
    // A bucket of the histogram is 9 % wide: exp(-35 * 1.09 / 10) to exp(-35 / 1.09 / 10), and the 2 %.
    expect(hedged.extraLoad).toBeGreaterThan(0.041);
    expect(hedged.extraLoad).toBeLessThan(0.061);
  });

  it('costs more than twice that when losers are not recorded', () => {
    const blind = simulate({ hedge: { percentile: 95 }, slowRatio: 0.02, recordLosers: false });
    // Exponential times have no memory: a first try older than the delay beats its hedge half of the time; one of the
    // slow 2 % never does. So of a share p above the delay only y = (p - 0.02) / 2 is recorded, and the estimate rests
    // where y / (0.98 - y) is 5 %: y = 0.0467, p = 0.113. Again a bucket, 9 % of the delay of 24 ms, to either side.
    expect(blind.extraLoad).toBeGreaterThan(0.093);
    expect(blind.extraLoad).toBeLessThan(0.138);
    expect(blind.delayMs).toBeLessThan(hedged.delayMs * 0.8);
  });
});

describe('hedging and the budget', () => {
  it('stops where the budget ends when everything is slow', () => {
    // A fixed delay of 5 ms and answers of 10 ms on average: e^-0.5 = 61 % of requests would be hedged.
    const generous = simulate({ hedge: { delayMs: 5 }, budget: { ratio: 1 } });
    expect(generous.extraLoad).toBeGreaterThan(0.58);
    expect(generous.extraLoad).toBeLessThan(0.64);
    const bounded = simulate({ hedge: { delayMs: 5 }, budget: { ratio: 0.1, minPerSecond: 0 } });
    expect(bounded.extraLoad).toBeLessThanOrEqual(0.1 + 0.001);
    expect(bounded.extraLoad).toBeGreaterThan(0.09);
  });
});
