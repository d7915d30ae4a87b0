/**
 * Discovery against a real Consul server behind a network that fails or lies. In each case the set in force stays
 * sane, the failure is told, and recovery comes by itself, within the bounds that docs/guides/consul.md states;
 * the short times of these tests are put in.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConsulAgent } from '../../../../../test/support/consul-agent.ts';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { until } from '../test-support/recorder.ts';
import type { ConsulOptions } from './config.ts';
import { type Fault, FaultProxy } from '../../../../../test/support/fault-proxy.ts';
import { Watched } from './test-support/watched.ts';

const component = requireComponent('consul');
const FOUR_TIMES = 4;

/** The agent is shared, the service is a test's own. */
let name = '';
const instance = (number: number) => ({ name, address: `10.0.0.${number}`, port: 80 });
const ids = (...numbers: number[]): string[] => numbers.map((number) => `10.0.0.${number}:80`);

describe.skipIf(component.path === undefined)('consul', () => {
  let agent: ConsulAgent;
  let proxy: FaultProxy;
  const cleanups: (() => Promise<unknown>)[] = [];

  let serviceNumber = 0;

  beforeAll(async () => {
    agent = await ConsulAgent.start(component.path ?? '');
  });
  afterAll(() => agent?.dispose());
  beforeEach(async () => {
    serviceNumber += 1;
    name = `users-${serviceNumber}`;
    proxy = await FaultProxy.start(agent.port);
    cleanups.push(() => proxy.close());
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  const watch = (options: Partial<ConsulOptions> = {}): Watched => {
    const watched = new Watched({ address: proxy.address, service: name, ...options });
    cleanups.push(() => watched.resolver.close());
    return watched;
  };

  /** A watch that has seen three instances. */
  const watchThree = async (options: Partial<ConsulOptions> = {}): Promise<Watched> => {
    for (const number of [1, 2, 3]) await agent.register(instance(number));
    const watched = watch(options);
    await until(() => watched.ids?.length === 3);
    return watched;
  };

  const isUnwell = (watched: Watched) => () => !watched.status.healthy;
  const isWell = (watched: Watched) => () => watched.status.healthy;

  describe('the network', () => {
    it('drops all packets: a half-open connection', async () => {
      const watched = await watchThree();
      proxy.fault = () => ({ kind: 'freeze' });
      await agent.register(instance(4));
      await until(() => watched.watch.silenceCount === 1);
      expect(watched.ids).toEqual(ids(1, 2, 3));
      proxy.fault = () => ({ kind: 'none' });
      await until(() => watched.ids?.length === 4);
      expect(watched.status.healthy).toBe(true);
    }, 30_000);

    it.each<{ what: string; fault: Fault; says: RegExp }>([
      {
        what: 'answers 500, as without a leader',
        fault: { kind: 'answer', status: 500, body: 'No cluster leader' },
        says: /answered 500: No cluster leader/u,
      },
      {
        what: 'answers 200 with a page of HTML',
        fault: { kind: 'answer', status: 200, body: '<html>Sign in</html>' },
        says: /the answer is no JSON/u,
      },
      {
        what: 'answers JSON that is no list',
        fault: { kind: 'answer', status: 200, body: '{"Nodes":7}' },
        says: /no list of instances/u,
      },
      {
        what: 'answers a list of nonsense',
        fault: { kind: 'answer', status: 200, body: '[{"Service":{}}, null, 7]' },
        says: /instance 0: Node is no object/u,
      },
      {
        what: 'answers null',
        fault: { kind: 'answer', status: 200, body: 'null' },
        says: /no list/u,
      },
      {
        what: 'answers nothing at all',
        fault: { kind: 'answer', status: 200, body: '' },
        says: /no JSON/u,
      },
      { what: 'resets every connection', fault: { kind: 'reset' }, says: /ECONNRESET|hang up/u },
      { what: 'cuts every answer off', fault: { kind: 'cut' }, says: /cut off|aborted/u },
    ])('$what', async ({ fault, says }) => {
      const watched = await watchThree();
      proxy.fault = () => fault;
      // The blocking query that is under way ends with its wait at the latest.
      await until(() => watched.recorder.errors.length >= FOUR_TIMES);
      expect(watched.recorder.lastError).toMatch(says);
      expect(watched.ids).toEqual(ids(1, 2, 3));
      proxy.fault = () => ({ kind: 'none' });
      await until(isWell(watched));
      await agent.register(instance(4));
      await until(() => watched.ids?.length === 4);
      expect(watched.leastSize).toBe(3);
    });

    it('answers 5xx in bursts: what gets through between them is enough', async () => {
      const watched = await watchThree();
      let asked = 0;
      proxy.fault = () => {
        asked += 1;
        return asked % 4 === 0 ? { kind: 'none' } : { kind: 'answer', status: 503, body: 'burst' };
      };
      for (const number of [4, 5, 6]) {
        await agent.register(instance(number));
        await until(() => watched.ids?.length === number);
      }
      expect(watched.leastSize).toBe(3);
      expect(watched.recorder.errors.length).toBeGreaterThan(3);
      proxy.fault = () => ({ kind: 'none' });
      await until(isWell(watched));
    });

    it('delays answers, by less and by more than the time they have', async () => {
      const watched = await watchThree();
      proxy.fault = () => ({ kind: 'delay', delayMs: 300 });
      await agent.register(instance(4));
      await until(() => watched.ids?.length === 4);
      expect(watched.recorder.errors).toEqual([]);
      proxy.fault = (url) =>
        url.includes('index=')
          ? { kind: 'answer', status: 502, body: 'bad gateway' }
          : { kind: 'delay', delayMs: 2_000 };
      await until(() => watched.recorder.lastError?.includes('no answer within') === true);
      expect(watched.ids?.length).toBe(4);
      proxy.fault = () => ({ kind: 'none' });
      await until(isWell(watched));
    });
  });

  describe('the index', () => {
    it('goes backwards: the leader is asked, and the watch goes on from what it says', async () => {
      const watched = await watchThree();
      let isLower = true;
      proxy.fault = (url) => {
        if (!url.includes('index=') || !isLower) return { kind: 'none' };
        isLower = false;
        return { kind: 'headers', headers: { 'x-consul-index': '3' } };
      };
      await until(() => proxy.requests.some((url) => url.includes('consistent')));
      await agent.register(instance(4));
      await until(() => watched.ids?.length === 4);
      expect(watched.recorder.errors).toEqual([]);
    });

    it.each([
      { what: 'is missing', index: undefined },
      { what: 'is zero', index: '0' },
      { what: 'is no number', index: 'many' },
      { what: 'is beyond 64 bits', index: '99999999999999999999' },
    ])('$what: it is polled, not hammered', async ({ index }) => {
      proxy.fault = () => ({ kind: 'headers', headers: { 'x-consul-index': index } });
      const watched = await watchThree({ pollIntervalMs: 200 });
      expect(watched.status.lastError).toBe('the answer has no usable index: polling');
      const before = proxy.requests.length;
      const startMs = performance.now();
      await agent.register(instance(4));
      await until(() => watched.ids?.length === 4);
      await until(() => proxy.requests.length > before + 3);
      const elapsedMs = performance.now() - startMs;
      expect(proxy.requests.length - before).toBeLessThanOrEqual(elapsedMs / 200 + 2);
      expect(proxy.requests.some((url) => url.includes('index='))).toBe(false);
    });

    it('is so high that it will not come for years: the next answer has the real one', async () => {
      let isHigh = true;
      proxy.fault = () => {
        if (!isHigh) return { kind: 'none' };
        isHigh = false;
        return { kind: 'headers', headers: { 'x-consul-index': '18446744073709551000' } };
      };
      const watched = await watchThree();
      await agent.register(instance(4));
      // Consul itself comes back after the wait, with the real index, which is lower.
      await until(() => watched.ids?.length === 4);
      expect(watched.recorder.errors).toEqual([]);
    });
  });

  it('finds its way back from every fault in turn without a restart', async () => {
    const watched = await watchThree();
    const faults: Fault[] = [
      { kind: 'reset' },
      { kind: 'answer', status: 503, body: '' },
      { kind: 'cut' },
      { kind: 'answer', status: 200, body: '[' },
    ];
    let number = 3;
    for (const fault of [...faults, ...faults]) {
      proxy.fault = () => fault;
      await until(isUnwell(watched));
      proxy.fault = () => ({ kind: 'none' });
      number += 1;
      await agent.register(instance(number));
      await until(() => watched.ids?.length === number);
    }
    expect(watched.leastSize).toBe(3);
  }, 60_000);
});
