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
      deadlineMs: undefined,
      headersTimeoutMs: 30_000,
      bodyTimeoutMs: 60_000,
      connections: 256,
      connectTimeoutMs: 3_000,
      keepAliveTimeoutMs: 4_000,
      maxConnectionAgeMs: 300_000,
      drainTimeoutMs: 30_000,
      allowH2: false,
      passthrough: false,
      retry: {
        attempts: 2,
        statuses: new Set([429, 502, 503, 504]),
        budget: { ratio: 0.2, minPerSecond: 10 },
        maxRetryAfterMs: 1_000,
        maxBackoffMs: 250,
      },
    });
  });

  it('switch retries off with false, as with 0 attempts', () => {
    expect(decodeOptions({ clusters: [], retry: false }).retry.attempts).toBe(0);
    expect(decodeOptions({ clusters: [], retry: { attempts: 0 } }).retry.attempts).toBe(0);
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
    [{ hostHeader: 'both' }, 'createDispatcher.hostHeader: one of cluster, endpoint, "both"'],
    [{ allowH2: 1 }, 'createDispatcher.allowH2: true or false, 1'],
    [{ clusters: users.name }, 'createDispatcher.clusters: a list of clusters, "users"'],
    [{ clusters: [{ cluster: 5 }] }, 'createDispatcher.clusters[0].cluster: a cluster, 5'],
  ])('refuse %o', (options, issue) => {
    expect(issuesOf({ clusters: [users], ...options })).toEqual([issue]);
  });

  it('refuse what they do not know, at the top and in a route', () => {
    expect(issuesOf({ clusters: [users], deadline: 5 })[0]).toMatch(
      /^createDispatcher.deadline: no such option/,
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
    expect(routes).toEqual([
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
