/** Filters of a real proxy when its configuration changes, and those that are modules. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { FilteredProxy, type FilteredOptions } from './test-support/filtered-proxy.ts';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

function keep<T extends { close(): Promise<unknown> }>(made: T): T {
  open.push(made);
  return made;
}

const start = async (options: FilteredOptions): Promise<FilteredProxy> =>
  keep(await FilteredProxy.start(options));

describe('filters of a configuration', () => {
  it('run modules of their users, which fail their request only', async () => {
    const root = await mkdtemp(join(tmpdir(), 'evenkeel-filter-'));
    keep({ close: () => rm(root, { recursive: true }) });
    // Modules below such a folder are left to Node by the test runner.
    await mkdir(join(root, 'node_modules'));
    const path = join(root, 'node_modules', 'tenant.mjs');
    await writeFile(
      path,
      `export const createFilter = ({ header }) => ({
        onRequest(request) {
          const tenant = request.header(header);
          if (tenant === undefined) return { status: 400, body: 'which tenant?' };
          if (tenant === 'broken') throw new Error('oh');
          if (tenant === 'slow') return new Promise(() => {});
          request.setTarget('/' + tenant + request.path);
          return undefined;
        },
      });`,
    );
    const module = { path, options: { header: 'x-tenant' }, timeoutMs: 50 };
    const proxy = await start({
      filters: [{ module, name: 'tenant' }],
      routes: [
        {
          match: { path: { prefix: '/open' } },
          cluster: 'origin',
          skipFilters: ['tenant'],
          filters: [{ module, name: 'tenant-open', onError: 'open' }],
        },
        { cluster: 'origin' },
      ],
    });
    const ask = async (path: string, tenant?: string) =>
      (await proxy.ask(path, { headers: tenant === undefined ? {} : { 'x-tenant': tenant } }))
        .status;
    expect([await ask('/a', 'blue'), await ask('/a')]).toEqual([200, 400]);
    expect([await ask('/a', 'broken'), await ask('/open', 'broken')]).toEqual([500, 200]);
    expect([await ask('/a', 'slow'), await ask('/open', 'slow')]).toEqual([500, 200]);
    expect(proxy.seen.map(({ url }) => url)).toEqual(['/blue/a', '/open', '/open']);
    expect(proxy.statusOf('tenant')).toMatchObject({ timeoutCount: 1 });
  });

  it('see requests to their end that began under an older configuration, and are closed then', async () => {
    const root = await mkdtemp(join(tmpdir(), 'evenkeel-filter-'));
    keep({ close: () => rm(root, { recursive: true }) });
    // Modules below such a folder are left to Node by the test runner.
    await mkdir(join(root, 'node_modules'));
    const path = join(root, 'node_modules', 'old.mjs');
    await writeFile(
      path,
      `globalThis.oldFilter = { isClosed: false };
       export const createFilter = () => ({
         onResponse: (response) => response.headers.set('x-old', String(globalThis.oldFilter.isClosed)),
         close: () => { globalThis.oldFilter.isClosed = true; },
       });`,
    );
    const proxy = await start({ filters: [{ module: { path } }] });
    const { oldFilter } = globalThis as unknown as { oldFilter: { isClosed: boolean } };
    let release = (): void => undefined;
    proxy.respond = (_, response) => {
      release = () => void response.end('late');
    };
    const late = proxy.ask();
    await expect.poll(() => proxy.seen.length).toBe(1);
    await proxy.apply({ filters: [{ headers: { response: { set: { 'x-new': '1' } } } }] });
    proxy.respond = (_, response) => void response.end('new');
    const young = await proxy.ask();
    expect([young.headers['x-new'], young.headers['x-old']]).toEqual(['1', undefined]);
    expect(oldFilter.isClosed).toBe(false);
    release();
    expect((await late).headers).toMatchObject({ 'x-old': 'false' });
    await expect.poll(() => oldFilter.isClosed).toBe(true);
  });

  it('come and go under load, and no request fails or gets a body that is not its own', async () => {
    const lists: FilteredOptions[] = [
      {},
      { filters: [{ compression: { minBytes: 0 } }, { rateLimit: { requestsPerSecond: 1e8 } }] },
      { filters: [{ compression: { minBytes: 0 } }] },
      {
        filters: [
          { bandwidth: { responseBytesPerSecond: 1e9 } },
          { headers: { request: { set: { a: 'b' } } } },
        ],
      },
    ];
    const proxy = await start({});
    proxy.respond = ({ url }, response) => {
      response.setHeader('content-type', 'text/plain');
      response.end(url.repeat(500));
    };
    let isOver = false;
    let count = 0;
    const faults: string[] = [];
    const call = async (): Promise<void> => {
      while (!isOver) {
        const path = `/${count++}`;
        const response = await fetch(proxy.url + path, { headers: { 'accept-encoding': 'gzip' } });
        const text = await response.text();
        if (response.status !== 200 || text !== path.repeat(500))
          faults.push(`${response.status} ${path}`);
      }
    };
    const calls = Array.from({ length: 8 }, call);
    for (let change = 1; change <= 40; change++) {
      const before = count;
      await proxy.apply(lists[change % lists.length]!);
      await expect.poll(() => count).toBeGreaterThan(before + 8);
    }
    isOver = true;
    await Promise.all(calls);
    expect(faults).toEqual([]);
  });

  it('are refused with the place where they stand', async () => {
    const start = (filters: unknown, skipFilters: string[] = []) =>
      FilteredProxy.start({
        filters: filters as FilteredOptions['filters'] & object,
        routes: [
          {
            cluster: 'origin',
            skipFilters,
            filters: [{ externalAuthorization: { cluster: 'nobody' } }],
          },
        ],
      });
    await expect(start([{ cors: { origins: [] } }])).rejects.toThrow(
      'createProxy.listeners[0].http.filters[0].cors.origins: expected at least one origin',
    );
    await expect(start([])).rejects.toThrow(
      'createProxy.listeners[0].http.routes[0].filters[0].externalAuthorization.cluster: expected the name of one of the clusters (origin), got nobody',
    );
    await expect(start([{ headers: {} }], ['jwt'])).rejects.toThrow(
      'createProxy.listeners[0].http.routes[0].skipFilters[0]: expected the name of a filter of the listener (headers), got jwt',
    );
  });
});
