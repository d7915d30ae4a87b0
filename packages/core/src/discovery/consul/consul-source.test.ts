import { describe, expect, it } from 'vitest';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import type { HttpAnswer, HttpPort, HttpRequest } from '../http/http-port.ts';
import { UNCHANGED } from '../registry/registry-source.ts';
import { completeConsulOptions } from './config.ts';
import { ConsulServiceSource, silenceOf } from './consul-source.ts';
import { ConsulClient } from './http/consul-client.ts';

const ONE = '[{"Node":{"Address":"10.0.0.1"},"Service":{"ID":"a","Address":"","Port":80}}]';
const TWO = ONE.replace(
  ']',
  ',{"Node":{"Address":"10.0.0.2"},"Service":{"ID":"b","Address":"","Port":80}}]',
);

interface Said {
  readonly index?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A source whose Consul says these answers in turn. */
function create(...answers: readonly Said[]) {
  const requests: HttpRequest[] = [];
  const left = [...answers];
  const http: HttpPort = {
    send: (request: HttpRequest): Promise<HttpAnswer> => {
      requests.push(request);
      const { index, body = ONE, headers = {} } = left.shift() ?? {};
      return Promise.resolve({
        status: 200,
        headers: { ...headers, ...(index === undefined ? {} : { 'x-consul-index': index }) },
        body: Buffer.from(body),
      });
    },
    close: () => undefined,
  };
  const config = completeConsulOptions({ service: 'users', address: 'consul:8500' }, 'consul');
  const { clock } = createManualRuntime();
  const source = new ConsulServiceSource(config, new ConsulClient(config.connection, http), clock);
  return { source, paths: () => requests.map(({ path }) => path), requests };
}

const look = { signal: new AbortController().signal, careful: false };

describe('ConsulServiceSource', () => {
  it('reads at once, waits from the index of the answer, and gives a watch its time', async () => {
    const { source, paths, requests } = create({ index: '7' }, { index: '9', body: TWO });
    const first = await source.read(look);
    expect(first).toMatchObject({ position: 7n, complaint: undefined });
    const next = await source.watch(7n, look);
    expect(next).toMatchObject({ position: 9n });
    expect(paths()).toEqual([
      '/v1/health/service/users?stale',
      '/v1/health/service/users?index=7&wait=30000ms&stale',
    ]);
    expect(requests.map(({ timeoutMs }) => timeoutMs)).toEqual([10_000, silenceOf(30_000)]);
  });

  it('asks the leader for a second look', async () => {
    const { source, paths } = create({ index: '7' });
    await source.read({ ...look, careful: true });
    expect(paths()).toEqual(['/v1/health/service/users?consistent']);
  });

  it('takes the same answer under the same index for a sign of life', async () => {
    const { source } = create({ index: '7' }, { index: '7' });
    await source.read(look);
    expect(await source.watch(7n, look)).toBe(UNCHANGED);
  });

  it('looks at another answer under the same index: a token sees less, and more again', async () => {
    const { source } = create(
      { index: '7', body: TWO },
      { index: '7', body: '[]' },
      { index: '7', body: '[]' },
      { index: '7', body: TWO },
    );
    await source.read(look);
    expect(await source.watch(7n, look)).toMatchObject({ endpoints: [], position: 7n });
    expect(await source.watch(7n, look)).toBe(UNCHANGED);
    const back = await source.watch(7n, look);
    expect(back === UNCHANGED ? [] : back.endpoints).toHaveLength(2);
  });

  it.each([
    { header: 'x-consul-knownleader', value: 'false', says: /knows no leader/u },
    { header: 'x-consul-results-filtered-by-acls', value: 'true', says: /not show everything/u },
  ])('notices $header: $value under the same index', async ({ header, value, says }) => {
    const headers = { [header]: value };
    const { source } = create({ index: '7' }, { index: '7', headers }, { index: '7' });
    await source.read(look);
    const told = await source.watch(7n, look);
    expect(told === UNCHANGED ? undefined : told.complaint).toMatch(says);
    const again = await source.watch(7n, look);
    expect(again === UNCHANGED ? 'none' : again.complaint).toBeUndefined();
  });

  it('asks the leader when the index goes backwards, and waits from what it says', async () => {
    const { source, paths } = create({ index: '7' }, { index: '3' }, { index: '4', body: TWO });
    await source.read(look);
    expect(await source.watch(7n, look)).toMatchObject({ position: 4n });
    expect(paths().at(-1)).toBe('/v1/health/service/users?consistent');
  });

  it.each([undefined, '0', '-1', 'many', '', '99999999999999999999'])(
    'cannot wait from index %s, and says so',
    async (index) => {
      const { source } = create(index === undefined ? {} : { index });
      expect(await source.read(look)).toMatchObject({
        position: undefined,
        complaint: 'the answer has no usable index: polling',
      });
    },
  );
});
