import { describe, expect, it } from 'vitest';
import { decodeScenario } from '../scenario/decode-scenario.ts';
import type { FaultOptions } from '../scenario/scenario.ts';
import { planFaults } from './faults.ts';
import { createFleet } from './fleet.ts';
import type { Server } from './server.ts';

interface Played {
  readonly servers: readonly Server[];
  readonly log: readonly string[];
}

/** Lets faults happen until a time. */
function play(faults: readonly FaultOptions[], untilMs: number): Played {
  const scenario = decodeScenario({ name: 'test', servers: [{ count: 3 }], faults });
  const { servers } = createFleet(scenario, 1);
  const tasks: { timeMs: number; task: () => void }[] = [];
  const log: string[] = [];
  let nowMs = 0;
  planFaults(scenario.faults, {
    servers,
    endMs: 10_000,
    at: (timeMs, task) => void tasks.push({ timeMs, task }),
    nowMs: () => nowMs,
    onServerChange: () => undefined,
    onServerDeath: ({ index }) => log.push(`${nowMs} ${index} dies`),
    setListed: ({ index }, listed) => log.push(`${nowMs} ${index} ${listed ? 'joins' : 'leaves'}`),
  });
  for (const { timeMs, task } of tasks.sort((a, b) => a.timeMs - b.timeMs)) {
    if (timeMs > untilMs) break;
    nowMs = timeMs;
    task();
  }
  return { servers, log };
}

describe('faults', () => {
  it('strike the servers chosen, from and until the time given', () => {
    const fault: FaultOptions = {
      kind: 'slow',
      factor: 4,
      servers: { count: 1 },
      fromMs: 100,
      untilMs: 200,
    };
    const speedsAt = (timeMs: number): number[] =>
      play([fault], timeMs).servers.map(({ presentSpeed }) => presentSpeed);
    expect(speedsAt(99)).toEqual([1, 1, 1]);
    expect(speedsAt(100)).toEqual([0.25, 1, 1]);
    expect(speedsAt(200)).toEqual([1, 1, 1]);
  });

  it('add up, and end one by one', () => {
    const faults: FaultOptions[] = [
      { kind: 'slow', factor: 2, fromMs: 0 },
      { kind: 'slow', factor: 3, fromMs: 10, untilMs: 30 },
      { kind: 'black-hole', fromMs: 20, untilMs: 40 },
      { kind: 'errors', ratio: 0.5, fromMs: 0 },
      { kind: 'errors', ratio: 0.5, fromMs: 10 },
    ];
    const stateAt = (timeMs: number): [number, number] => {
      const server = play(faults, timeMs).servers[0]!;
      return [server.presentSpeed, server.errorRatio];
    };
    expect(stateAt(0)).toEqual([1 / 2, 0.5]);
    expect(stateAt(10)).toEqual([1 / 6, 0.75]);
    expect(stateAt(20)).toEqual([0, 0.75]);
    expect(stateAt(40)).toEqual([1 / 2, 0.75]);
  });

  it('come and go when they flap', () => {
    const fault: FaultOptions = {
      kind: 'fail-fast',
      afterMs: 2,
      fromMs: 1_000,
      untilMs: 5_500,
      flap: { onMs: 500, offMs: 1_500 },
    };
    const failsAt = (timeMs: number): boolean => play([fault], timeMs).servers[0]!.failFastMs === 2;
    const expected: [number, boolean][] = [
      [999, false],
      [1_000, true],
      [1_499, true],
      [1_500, false],
      [3_000, true],
      [3_600, false],
      [5_200, true],
      [5_500, false],
      [9_000, false],
    ];
    for (const [timeMs, fails] of expected) expect(failsAt(timeMs)).toBe(fails);
  });

  it('kill once, though two faults refuse at the same time', () => {
    const faults: FaultOptions[] = [
      { kind: 'refuse', servers: { count: 1 }, fromMs: 10, untilMs: 50 },
      { kind: 'refuse', servers: { count: 1 }, fromMs: 20, untilMs: 30 },
    ];
    expect(play(faults, 40).log).toEqual(['10 0 dies']);
    expect(play(faults, 40).servers[0]!.refusing).toBe(true);
    expect(play(faults, 50).servers[0]!.refusing).toBe(false);
  });

  it('let a deploy take servers in turn: out of discovery, down, back', () => {
    const deploy: FaultOptions = {
      kind: 'deploy',
      fromMs: 1_000,
      batch: 2,
      everyMs: 500,
      drainMs: 100,
      downMs: 200,
    };
    expect(play([deploy], 10_000).log).toEqual([
      '1000 0 leaves',
      '1000 1 leaves',
      '1100 0 dies',
      '1100 1 dies',
      '1300 0 joins',
      '1300 1 joins',
      '1500 2 leaves',
      '1600 2 dies',
      '1800 2 joins',
    ]);
  });
});
