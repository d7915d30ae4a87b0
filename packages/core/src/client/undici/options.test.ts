import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../error/config-error.ts';
import { createDispatcher } from './index.ts';
import { decodeOptions, decodeRoutes, type DispatcherOptions } from './options.ts';
import { FakeCluster } from './test-support/fake-cluster.ts';

const users = new FakeCluster();

function issuesOf(options: unknown): string[] {
  try {
    createDispatcher(options as DispatcherOptions);
  } catch (error) {
    if (error instanceof ConfigError)
      return error.issues.map((issue) => `${issue.path}: ${issue.expected}, ${issue.actual}`);
    throw error;
  }
  return [];
}

describe('options', () => {
  it('have defaults for everything but the clusters', () => {
    expect(decodeOptions({ clusters: [users] })).toMatchObject({
      headersTimeoutMs: 30_000,
      bodyTimeoutMs: 60_000,
      connections: 256,
      connectTimeoutMs: 3_000,
      keepAliveTimeoutMs: 4_000,
      maxConnectionAgeMs: 300_000,
      drainTimeoutMs: 30_000,
      allowH2: false,
      passthrough: false,
    });
  });

  it('have defaults for how a cluster is retried, hedged and limited in time', () => {
    expect(decodeRoutes({ clusters: [users] })).toMatchObject([
      {
        retry: { attempts: 2, statuses: [429, 502, 503, 504], budget: { ratio: 0.2 } },
        hedge: undefined,
        deadline: { propagate: true, inherit: true, hopMs: 0, minTryMs: 1 },
        holdResponseBytes: 0,
        fallback: undefined,
        affinity: undefined,
      },
    ]);
  });

  it('switch retries off with false, as with 0 attempts', () => {
    for (const retry of [false, { attempts: 0 }] as const)
      expect(decodeRoutes({ clusters: [users], retry })[0]?.retry.attempts).toBe(0);
  });

  it('take deadlineMs as the short form of deadline.totalMs, but not both', () => {
    const deadline = { perTryTimeoutMs: 300 };
    expect(decodeRoutes({ clusters: [users], deadlineMs: 500, deadline })[0]?.deadline).toEqual({
      totalMs: 500,
      perTryTimeoutMs: 300,
      minTryMs: 1,
      propagate: true,
      inherit: true,
      hopMs: 0,
    });
    expect(issuesOf({ clusters: [users], deadlineMs: 500, deadline: { totalMs: 500 } })).toEqual([
      'createDispatcher.deadlineMs: nothing beside deadline.totalMs, or the other way, 500',
    ]);
  });

  it('let a route have its own', () => {
    const [route] = decodeRoutes({
      clusters: [{ cluster: users, retry: { attempts: 1 }, hedge: { delayMs: 5 }, deadlineMs: 7 }],
      retry: false,
      deadlineMs: 9,
    });
    expect(route).toMatchObject({
      retry: { attempts: 1 },
      hedge: { delayMs: 5, maxHedges: 1 },
      deadline: { totalMs: 7 },
    });
  });

  it.each([
    [{ deadlineMs: 0 }, 'createDispatcher.deadlineMs: a duration from 1 ms to 86400000 ms, 0'],
    [
      { headersTimeoutMs: -1 },
      'createDispatcher.headersTimeoutMs: a duration from 0 ms to 86400000 ms, -1',
    ],
    [
      { bodyTimeoutMs: '1s' },
      'createDispatcher.bodyTimeoutMs: a duration from 0 ms to 86400000 ms, "1s"',
    ],
    [{ connections: 0 }, 'createDispatcher.connections: an integer from 1 to 65535, 0'],
    [{ retry: { attempts: 6 } }, 'createDispatcher.retry.attempts: an integer from 0 to 5, 6'],
    [
      { retry: { statuses: [200] } },
      'createDispatcher.retry.statuses[0]: an integer from 400 to 599, 200',
    ],
    [
      { retry: { budget: { ratio: 11 } } },
      'createDispatcher.retry.budget.ratio: a number from 0 to 10, 11',
    ],
    [{ retry: { jitter: 'none' } }, 'createDispatcher.retry.jitter: one of equal, full, "none"'],
    [{ hedge: { maxHedges: 9 } }, 'createDispatcher.hedge.maxHedges: an integer from 1 to 4, 9'],
    [
      { holdResponseBytes: -1 },
      'createDispatcher.holdResponseBytes: an integer from 0 to 16777216, -1',
    ],
    [
      { fallback: 'x' },
      'createDispatcher.fallback: a function from errors and requests to answers, "x"',
    ],
    [
      { clusters: [{ cluster: users, affinity: {} }] },
      'createDispatcher.clusters[0].affinity: what createCookieAffinity() returns, {}',
    ],
    [{ hostHeader: 'both' }, 'createDispatcher.hostHeader: one of cluster, endpoint, "both"'],
    [{ allowH2: 1 }, 'createDispatcher.allowH2: true or false, 1'],
    [{ clusters: users.name }, 'createDispatcher.clusters: a list of clusters, "users"'],
    [{ clusters: [{ cluster: 5 }] }, 'createDispatcher.clusters[0].cluster: a cluster, 5'],
  ])('refuse %o', (options, issue) => {
    expect(issuesOf({ clusters: [users], ...options })).toEqual([issue]);
  });

  it('refuse what they do not know, at the top and in a route', () => {
    expect(issuesOf({ clusters: [users], deadlin: 5 })[0]).toMatch(
      /^createDispatcher.deadlin: no such option/,
    );
    const route = { cluster: users, host: 'x' };
    expect(issuesOf({ clusters: [route] })[0]).toMatch(
      /^createDispatcher.clusters\[0\].host: no such option/,
    );
  });

  it('report everything that is wrong at once', () => {
    expect(issuesOf({ clusters: [users], connections: 0, deadlineMs: -5 })).toHaveLength(2);
  });

  it('refuse two clusters of one name, and names that cannot stand in a URL', () => {
    expect(issuesOf({ clusters: [users, new FakeCluster()] })[0]).toContain(
      'host names that differ',
    );
    expect(issuesOf({ clusters: [new FakeCluster({ name: 'user service' })] })[0]).toContain(
      'a name that can stand in a URL',
    );
  });

  it('take what a route does not say from the dispatcher', () => {
    const other = new FakeCluster({ name: 'other' });
    const routes = decodeRoutes({
      clusters: [
        users,
        { cluster: other, hosts: ['a', 'b:1'], hostHeader: 'endpoint', servername: 'x' },
      ],
      servername: 'y',
    });
    expect(routes).toMatchObject([
      { cluster: users, hosts: ['users'], hostHeader: 'cluster', servername: 'y', tls: undefined },
      {
        cluster: other,
        hosts: ['a', 'b:1'],
        hostHeader: 'endpoint',
        servername: 'x',
        tls: undefined,
      },
    ]);
  });
});
