import { type Cluster, ConfigError, createCluster } from '@evenkeel/core';
import { decode } from '@evenkeel/core/schema';
import { describe, expect, it } from 'vitest';
import { type BuildOptions, buildFilters, filtersFor, statusOf } from './chain.ts';
import { clustersOfFilters, filterListSchema, type FilterOptions } from './filter-list.ts';
import type { FilterAnswer } from './filter.ts';
import { fakeRequest } from './test-support/fake-request.ts';
import { portsOf } from './test-support/make-filter.ts';

async function build(written: readonly FilterOptions[], more: Partial<BuildOptions> = {}) {
  const list = decode(filterListSchema, written, 'filters');
  return buildFilters(list, portsOf({}), { written, path: 'filters', ...more });
}

const LIMIT: FilterOptions = { rateLimit: { requestsPerSecond: 1 } };

describe('a list of filters', () => {
  it.each([
    [[{}], 'filters[0]: expected exactly one of bandwidth, basicAuth'],
    [[LIMIT, { cors: { origins: ['*'] }, ...LIMIT }], 'filters[1]: expected exactly one of'],
    [[{ crs: {} }], "did you mean 'cors'"],
    [[{ ...LIMIT, onError: 'sometimes' }], 'filters[0].onError: expected one of closed, open'],
    [
      [{ rateLimit: { requestsPerSecond: 'x' } }],
      'filters[0].rateLimit.requestsPerSecond: expected a number',
    ],
    [{}, 'filters: expected a list of filters'],
    [Array.from({ length: 65 }, () => LIMIT), '64 filters at most'],
  ])('%# is refused', (raw, message) => {
    expect(() => decode(filterListSchema, raw, 'filters')).toThrow(message);
  });

  it('names the clusters that it needs, with their places', () => {
    const list = decode(filterListSchema, [LIMIT, { externalAuthorization: { cluster: 'a' } }], '');
    expect(clustersOfFilters(list)).toEqual([
      { at: [1, 'externalAuthorization', 'cluster'], cluster: 'a' },
    ]);
  });
});

describe('a chain', () => {
  it('has filters in their order, under their names', async () => {
    const chain = await build([LIMIT, { headers: {}, name: 'edits', onError: 'open' }]);
    expect(chain.built.map(({ name, kind }) => [name, kind])).toEqual([
      ['rateLimit', 'rateLimit'],
      ['edits', 'headers'],
    ]);
    const [, edits] = chain.built;
    expect(edits?.filter).toEqual({ name: 'edits', onError: 'open' });
    expect(statusOf(chain).map(({ status }) => status['rejectedCount'])).toEqual([0, undefined]);
  });

  it('keeps what stays as it is, with all that it knows', async () => {
    const limitOf = (chain: Awaited<ReturnType<typeof build>>) =>
      chain.built.find(({ kind }) => kind === 'rateLimit')!.filter;
    const before = await build([LIMIT, { bodyLimit: { maxBytes: 1 } }]);
    expect(limitOf(before).onRequest?.(fakeRequest())).toBeUndefined();
    const after = await build([{ bodyLimit: { maxBytes: 2 } }, { ...LIMIT }], { before });
    expect(limitOf(after)).toBe(limitOf(before));
    expect(limitOf(after).onRequest?.(fakeRequest()) as FilterAnswer).toMatchObject({
      status: 429,
    });
    expect(after.built[0]).not.toBe(before.built[1]);
    const changed = await build([{ rateLimit: { requestsPerSecond: 2 } }], { before: after });
    expect(limitOf(changed)).not.toBe(limitOf(after));
    // Of two alike, each is kept once.
    const two = await build([LIMIT, LIMIT], { before });
    expect(two.built[0]).toBe(before.built[0]);
    expect(two.built[1]).not.toBe(before.built[0]);
  });

  it('does not keep a filter whose cluster is another one now', async () => {
    const written: FilterOptions[] = [{ externalAuthorization: { cluster: 'a' } }];
    const list = decode(filterListSchema, written, '');
    const clusters = [1, 2].map(() => createCluster({ name: 'a', discovery: ['127.0.0.1:1'] }));
    let one = clusters[0] as Cluster;
    const ports = { ...portsOf({}), clusterOf: (): Cluster => one };
    const options = { written, path: '' };
    const first = await buildFilters(list, ports, options);
    const same = await buildFilters(list, ports, { ...options, before: first });
    one = clusters[1] as Cluster;
    const other = await buildFilters(list, ports, { ...options, before: first });
    expect(same.built[0]).toBe(first.built[0]);
    expect(other.built[0]).not.toBe(first.built[0]);
    for (const { built } of [first, other]) await built[0]?.close();
    await Promise.all(clusters.map((each) => each.close()));
  });

  it('closes what was made when one of its filters cannot be, and nothing else', async () => {
    const before = await build([LIMIT]);
    const making = build(
      [LIMIT, { cors: { origins: ['*'] } }, { module: { path: 'missing.mjs' } }],
      {
        before,
        path: 'listeners[0].http.filters',
      },
    );
    await expect(making).rejects.toThrow(ConfigError);
    await expect(making).rejects.toThrow(
      'listeners[0].http.filters[2].module.path: expected a module',
    );
  });
});

describe('the filters of a route', () => {
  it('are those of its listener but what it skips, then its own; none is undefined', async () => {
    const outer = await build([LIMIT, { cors: { origins: ['*'] }, name: 'pages' }]);
    const own = await build([{ bodyLimit: { maxBytes: 1 } }]);
    const names = (skipped: string[]) => filtersFor(outer, own, skipped)?.map(({ name }) => name);
    expect(names([])).toEqual(['rateLimit', 'pages', 'bodyLimit']);
    expect(names(['pages'])).toEqual(['rateLimit', 'bodyLimit']);
    expect(filtersFor(outer, undefined, ['pages', 'rateLimit'])).toBeUndefined();
    expect(filtersFor(undefined, undefined, [])).toBeUndefined();
  });
});
