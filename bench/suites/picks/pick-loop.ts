import { createPolicy, createRandom, Outcome, type PickContext } from '@evenkeel/core';
import { createLoadReport } from '@evenkeel/core/load-report';
import { addresses, type Contender, FLOOR_POLICIES } from './contenders.ts';
import { InstantProber } from './instant-prober.ts';

/** What a server tells that is half busy. */
const REPORT = createLoadReport({
  applicationUtilization: 0.5,
  requestsPerSecond: 200,
  errorsPerSecond: 1,
  namedMetrics: new Map([
    ['rif', 4],
    ['latency_ms', 25],
  ]),
});

/** Requests in flight at any time. */
const IN_FLIGHT = 64;
/** Different keys; a power of two. */
const KEYS = 1_024;
/** Virtual time between two picks: 100,000 requests per second. */
const STEP_MS = 0.01;

/** Affinity keys of 16 characters. */
export function contextsWithKeys(): PickContext[] {
  return Array.from({ length: KEYS }, (_, index) => ({
    // Built by JSON so that each is one flat string, as keys from a parsed request are.
    hashKey: JSON.parse(`"user-${String(index * 7_919).padStart(11, '0')}"`) as string,
  }));
}

/**
 * A loop of pick + start + finish with 64 requests in flight and latencies between 20 and 51 ms, time passed in. The
 * loop itself (ring of requests, latencies) is part of the figure: `floor` has it too.
 */
export function pickLoop(contender: Contender, count: number): (iterations: number) => number {
  const prober = new InstantProber();
  const policy = createPolicy(contender.policy, {
    endpoints: addresses(count),
    random: createRandom(1),
    policies: FLOOR_POLICIES,
    createProber: () => prober,
  });
  const { reports = false } = contender;
  const isProbing = contender.name === 'prequal';
  const contexts = policy.keyed ? contextsWithKeys() : Array.from({ length: KEYS }, () => ({}));
  const running = new Int32Array(IN_FLIGHT);
  let nowMs = 1_000;
  for (let place = 0; place < IN_FLIGHT; place++) {
    const slot = policy.pick(contexts[place], nowMs);
    policy.start(slot, nowMs);
    running[place] = slot;
  }
  return (iterations) => {
    let checksum = 0;
    let time = nowMs;
    for (let i = 0; i < iterations; i++) {
      time += STEP_MS;
      const place = i & (IN_FLIGHT - 1);
      if (reports) policy.report(running[place] as number, REPORT, time);
      policy.finish(running[place] as number, Outcome.success, 20 + (i & 31), time);
      if (isProbing) prober.answer(time);
      const slot = policy.pick(contexts[i & (KEYS - 1)], time);
      policy.start(slot, time);
      running[place] = slot;
      checksum += slot;
    }
    nowMs = time;
    return checksum;
  };
}

/** Picks alone, by key. */
export function lookupLoop(contender: Contender, count: number): (iterations: number) => number {
  const policy = createPolicy(contender.policy, {
    endpoints: addresses(count),
    random: createRandom(1),
  });
  const contexts = contextsWithKeys();
  return (iterations) => {
    let checksum = 0;
    for (let i = 0; i < iterations; i++) checksum += policy.pick(contexts[i & (KEYS - 1)], 0);
    return checksum;
  };
}
