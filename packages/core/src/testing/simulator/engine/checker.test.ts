import { describe, expect, it } from 'vitest';
import { activeHealthSchema } from '../../../health/active/config.ts';
import type { ActiveHealthVerdict } from '../../../health/health.ts';
import { createEndpoint } from '../../../model/endpoint.ts';
import { createManualRuntime } from '../../manual-runtime.ts';
import { SimulatedChecker } from './checker.ts';
import { Server } from './server.ts';

const ADDRESS = '10.0.0.1:80';

function setUp() {
  const runtime = createManualRuntime();
  const server = new Server({
    index: 0,
    id: ADDRESS,
    group: 0,
    zone: '',
    weight: 1,
    cores: 1,
    speed: 1,
  });
  const heard: string[] = [];
  const options = { intervalMs: 1_000, timeoutMs: 300, rise: 2, fall: 2, jitterRatio: 0 };
  const checker = new SimulatedChecker({
    config: activeHealthSchema.parse({ http: { ...options, initialSpreadMs: 0 } }),
    environment: { cluster: 'test', runtime },
    listener: {
      onActiveHealth: (slot, { healthy, degraded, reason }: ActiveHealthVerdict) => {
        const state = healthy ? (degraded === true ? 'degraded' : 'healthy') : 'unhealthy';
        heard.push(`${slot} ${state} (${reason}) @${runtime.clock.nowMs()}`);
      },
    },
    serverOf: (id) => (id === ADDRESS ? server : undefined),
    delayTo: () => 10,
  });
  const advance = (ms: number): string[] => {
    runtime.scheduler.advance(ms);
    return heard.splice(0);
  };
  return { checker, server, advance };
}

const endpoint = createEndpoint(ADDRESS);

describe('simulated health checks', () => {
  it('take a round trip, and come in the rhythm of the options', () => {
    const { checker, advance } = setUp();
    checker.update([{ slot: 4, endpoint }]);
    expect(advance(19)).toEqual([]);
    expect(advance(1)).toEqual(['4 healthy (passed) @20']);
    advance(3_000);
    expect(checker.status(4)).toMatchObject({ checkCount: 4, failureCount: 0, lastDurationMs: 20 });
    expect(checker.status(0)).toBeUndefined();
  });

  it('fail where nobody listens, after as many as it takes, and pass again likewise', () => {
    const { checker, server, advance } = setUp();
    checker.update([{ slot: 0, endpoint }]);
    advance(500);
    server.refusing = true;
    expect(advance(3_000)).toEqual(['0 unhealthy (connection refused) @2020']);
    server.refusing = false;
    expect(advance(3_000)).toEqual(['0 healthy (passed) @5020']);
  });

  it('run out of time where a server hangs, and pass where it is slow or fails', () => {
    const { checker, server, advance } = setUp();
    checker.update([{ slot: 0, endpoint }]);
    advance(500);
    server.hamper(16, false, 500);
    server.failFastMs = 1;
    expect(advance(3_000)).toEqual([]);
    server.hamper(1, true, 3_500);
    expect(advance(3_000)).toEqual(['0 unhealthy (timed out) @5300']);
  });

  it('hear who asks to be spared', () => {
    const { checker, server, advance } = setUp();
    checker.update([{ slot: 0, endpoint }]);
    advance(500);
    server.degraded = true;
    expect(advance(1_000)).toEqual(['0 degraded (passed) @1020']);
    server.degraded = false;
    expect(advance(1_000)).toEqual(['0 healthy (passed) @2020']);
  });

  it('end for who leaves, and begin anew for who takes the slot', async () => {
    const { checker, advance } = setUp();
    checker.update([{ slot: 0, endpoint }]);
    advance(500);
    // Nobody is at that address.
    checker.update([{ slot: 0, endpoint: createEndpoint('10.0.0.9:80') }]);
    expect(checker.status(0)?.checkCount).toBe(0);
    expect(advance(1_500)).toEqual(['0 unhealthy (connection refused) @1500']);
    await checker.close();
    expect(advance(5_000)).toEqual([]);
  });
});
