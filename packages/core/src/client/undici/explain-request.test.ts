import { afterEach, describe, expect, it } from 'vitest';
import { createCookieAffinity } from '../../affinity/cookie-affinity.ts';
import { createCluster } from '../../cluster/create-cluster.ts';
import type { Cluster } from '../../cluster/face.ts';
import { createManualRuntime, type ManualRuntime } from '../../testing/manual-runtime.ts';
import { createDispatcher, type EvenkeelDispatcher, type RequestExplanation } from './index.ts';
import type { DispatcherOptions } from './options.ts';
import type { RouteAffinity } from './route-options.ts';

const ENDPOINTS = ['a', 'b', 'c'].map((id, index) => ({
  address: `10.0.0.${index + 1}:80`,
  id,
  metadata: { version: id === 'c' ? 'v2' : 'v1' },
}));

interface Bench {
  readonly runtime: ManualRuntime;
  readonly cluster: Cluster;
  readonly dispatcher: EvenkeelDispatcher;
}

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

function bench(
  options: Omit<DispatcherOptions, 'clusters'> = {},
  affinityOf?: (cluster: Cluster, runtime: ManualRuntime) => RouteAffinity,
): Bench {
  const runtime = createManualRuntime();
  const cluster = createCluster(
    {
      name: 'users',
      discovery: ENDPOINTS,
      policy: { name: 'maglev', hashKey: { header: 'x-user' } },
      topology: { subsets: { selectors: [{ keys: ['version'] }] } },
    },
    runtime,
  );
  open.push(() => cluster.close());
  const dispatcher = createDispatcher({
    ...options,
    clusters: [{ cluster, affinity: affinityOf?.(cluster, runtime) }],
    runtime,
  });
  open.push(() => dispatcher.destroy());
  runtime.scheduler.advance(1);
  return { runtime, cluster, dispatcher };
}

const stepOf = ({ steps }: RequestExplanation, name: string): string => {
  const step = steps.find((each) => each.step === name);
  return `${step?.choice}: ${step?.reason}`;
};

describe('dispatcher.explain', () => {
  it('says how long a request has', () => {
    const { dispatcher } = bench({ deadline: { totalMs: 2_000, perTryTimeoutMs: 700 } });
    const deadline = (headers = {}): string =>
      stepOf(dispatcher.explain({ origin: 'http://users', headers }), 'deadline');
    expect(deadline()).toBe('2000 ms: the options say so; each try 700 ms');
    expect(deadline({ 'x-evenkeel-timeout-ms': '50' })).toBe(
      '50 ms: the caller said so; each try 700 ms',
    );
    const unlimited = bench({ headersTimeoutMs: 0 }).dispatcher;
    expect(stepOf(unlimited.explain({ origin: 'http://users' }), 'deadline')).toBe(
      'none: the options set none; no limit for a try',
    );
  });

  it('says what may be tried again, and what the budget has left', () => {
    const { dispatcher } = bench();
    const retry = (request = {}): string =>
      stepOf(dispatcher.explain({ origin: 'http://users', ...request }), 'retry');
    // 10 per second over 10 s.
    expect(retry()).toBe('up to 2: the budget has 100 left');
    expect(retry({ method: 'POST', body: 'x' })).toBe(
      'up to 2: POST is not idempotent: only while no endpoint has seen it; the budget has 100 left',
    );
    expect(retry({ method: 'PUT', body: ReadableStream.from(['x']) })).toContain('only once');
    const never = bench({ retry: false }).dispatcher;
    expect(stepOf(never.explain({ origin: 'http://users' }), 'retry')).toBe('none: switched off');
  });

  it('says when a request would be hedged', () => {
    const hedge = (rule: DispatcherOptions['hedge'], method = 'GET'): string => {
      const { dispatcher } = bench({ hedge: rule });
      const request = { origin: 'http://users', method: method as 'GET' };
      return stepOf(dispatcher.explain(request), 'hedge');
    };
    expect(hedge(false)).toBe('none: switched off');
    expect(hedge({ delayMs: 40 })).toBe('after 40 ms: the options say so');
    expect(hedge({ percentile: 99 })).toBe('none: too few latencies are known yet');
    expect(hedge({ delayMs: 40 }, 'POST')).toBe('none: POST is not idempotent');
  });

  it('asks the cluster with the key and the subset of the request', () => {
    const { dispatcher, cluster } = bench({
      subsetOf: ({ path }) => (path === '/beta' ? { version: 'v2' } : undefined),
    });
    for (const user of ['1', '2', '3', '4']) {
      const headers = { 'x-user': user };
      const { chosen, pick } = dispatcher.explain({ origin: 'http://users', headers });
      expect(chosen?.id).toBe(cluster.endpoint(cluster.pick({ hashKey: user }))?.id);
      expect(pick?.path.find(({ step }) => step === 'affinity')?.choice).toBe('key');
    }
    const beta = dispatcher.explain({ origin: 'http://users', path: '/beta' });
    expect(beta.chosen?.id).toBe('c');
    expect(beta.pick?.path[0]).toMatchObject({ step: 'subset', choice: 'version=v2' });
  });

  it('says where the cookie leads, and counts nothing', () => {
    let issued = '';
    const { dispatcher, cluster } = bench({}, (users, runtime) => {
      const affinity = createCookieAffinity(users, { secrets: ['0123456789abcdef'] }, runtime);
      open.push(() => affinity.close());
      const [first] = users.snapshot().endpoints;
      if (first !== undefined) issued = affinity.issue(first.endpoint).split(';')[0] ?? '';
      return affinity;
    });
    const explain = (cookie?: string): RequestExplanation =>
      dispatcher.explain({
        origin: 'http://users',
        headers: cookie === undefined ? {} : { cookie },
      });
    expect(stepOf(explain(), 'cookie')).toBe('none: there is no cookie');
    expect(stepOf(explain('evenkeel=forged'), 'cookie')).toContain('not signed by us');
    expect(stepOf(explain(issued), 'cookie')).toBe('a: the cookie names it');
    expect(explain(issued).chosen?.id).toBe('a');
    cluster.setEnabled('a', false);
    expect(stepOf(explain(issued), 'cookie')).toContain('may not serve: disabled');
    expect(explain(issued).chosen?.id).not.toBe('a');
    const [stats] = dispatcher.stats.clusters;
    expect(stats?.affinity).toEqual({
      visits: { absent: 0, invalid: 0, expired: 0, gone: 0, valid: 0 },
      keptCount: 0,
      movedCount: 0,
    });
    expect(cluster.snapshot().totals.activeCount).toBe(0);
  });

  it('works behind compose, and refuses origins that it does not know', () => {
    const { dispatcher } = bench();
    const composed = dispatcher.compose((dispatch) => dispatch);
    expect(composed.explain({ origin: new URL('http://users:80/') }).cluster).toBe('users');
    expect(() => dispatcher.explain({ origin: 'http://others' })).toThrow('names none of');
  });
});
