/**
 * Discovery against a real etcd server behind a network that fails or lies. In each case the set in force stays sane, the
 * failure is told, and recovery comes by itself, within the bounds that docs/guides/etcd.md states; the short times of
 * these tests are put in.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EtcdServer } from '../../../../../test/support/etcd-server.ts';
import {
  NetworkNamespace,
  requireNamespaces,
} from '../../../../../test/support/network-namespace.ts';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { until } from '../test-support/recorder.ts';
import type { EtcdOptions } from './config.ts';
import { type StreamFault, StreamFaultProxy } from './test-support/stream-fault-proxy.ts';
import { Watched } from './test-support/watched.ts';

const component = requireComponent('etcd');
const { ip } = await requireNamespaces();
const FOUR_TIMES = 4;

/** The server is shared, the prefix is a test's own. */
let prefix = '';
const idOf = (number: number): string => `10.0.0.${number}:80`;
const ids = (...numbers: number[]): string[] => numbers.map(idOf);

describe.skipIf(component.path === undefined)('etcd', () => {
  let server: EtcdServer;
  let proxy: StreamFaultProxy;
  let prefixNumber = 0;
  const cleanups: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    server = await EtcdServer.start(component.path ?? '');
  });
  afterAll(() => server?.dispose());
  beforeEach(async () => {
    prefixNumber += 1;
    prefix = `/services/users-${prefixNumber}/`;
    proxy = await StreamFaultProxy.start(server.port);
    cleanups.push(() => proxy.close());
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  const put = (number: number): Promise<void> => server.put(`${prefix}${number}`, idOf(number));
  const watch = (options: Partial<EtcdOptions> = {}): Watched => {
    const watched = new Watched({ endpoints: [proxy.address], prefix, ...options });
    cleanups.push(() => watched.resolver.close());
    return watched;
  };
  /** A watch that has seen three instances and is open. */
  const watchThree = async (options: Partial<EtcdOptions> = {}): Promise<Watched> => {
    for (const number of [1, 2, 3]) await put(number);
    const watched = watch(options);
    await until(() => watched.ids?.length === 3 && proxy.countOf('/v3/watch') > 0);
    return watched;
  };
  const isUnwell = (watched: Watched) => () => !watched.status.healthy;
  const isWell = (watched: Watched) => () => watched.status.healthy;

  it.skipIf(ip === undefined)(
    'drops all packets: a half-open connection',
    async () => {
      const namespace = await NetworkNamespace.create(ip ?? '');
      cleanups.push(() => namespace.dispose());
      const remote = await EtcdServer.start(component.path ?? '', { namespace });
      cleanups.push(() => remote.dispose());
      for (const number of [1, 2, 3]) await remote.put(`${prefix}${number}`, idOf(number));
      const watched = watch({ endpoints: [remote.address] });
      await until(() => watched.status.refreshCount > 1);
      await namespace.cut();
      await until(() => watched.watch.silenceCount === 1);
      await until(() => watched.recorder.lastError?.includes('answer within') === true);
      expect(watched.ids).toEqual(ids(1, 2, 3));
      await namespace.heal();
      await until(isWell(watched));
      await remote.put(`${prefix}4`, idOf(4));
      await until(() => watched.ids?.length === 4);
      expect(watched.leastSize).toBe(3);
    },
    30_000,
  );

  it('swallows what comes on an open watch: the next one brings it', async () => {
    const watched = await watchThree();
    await until(() => watched.status.refreshCount > 1);
    let swallowed = '';
    const rewrite = (piece: string): string => {
      swallowed += piece;
      return '';
    };
    proxy.fault = (path) =>
      path === '/v3/watch' ? { kind: 'rewrite', rewrite } : { kind: 'none' };
    await put(4);
    await server.delete(`${prefix}1`);
    // Both: a watch that lost the first and brought the second would lie, and no stream does that.
    await until(() => swallowed.includes('DELETE'));
    proxy.fault = () => ({ kind: 'none' });
    await until(() => watched.ids?.join() === ids(2, 3, 4).join());
    expect(proxy.countOf('/v3/kv/range')).toBe(1);
    expect(watched.recorder.errors).toEqual([]);
  });

  const garbage = '<html>Sign in</html>';
  it.each<{ what: string; fault: StreamFault; says: RegExp }>([
    {
      what: 'answers 503',
      fault: { kind: 'answer', status: 503, body: '{"error":"etcdserver: no leader","code":14}' },
      says: /answered 503: etcdserver: no leader/u,
    },
    {
      what: 'answers 502 with a page of HTML',
      fault: { kind: 'answer', status: 502, body: garbage },
      says: /answered 502: <html>/u,
    },
    {
      what: 'answers 200 with a page of HTML',
      fault: { kind: 'answer', status: 200, body: garbage },
      says: /the answer is no JSON/u,
    },
    {
      what: 'answers JSON of something else',
      fault: { kind: 'answer', status: 200, body: '{"nodes":7}' },
      says: /header is no object/u,
    },
    {
      what: 'answers keys that are none',
      fault: {
        kind: 'answer',
        status: 200,
        body: '{"header":{"cluster_id":"1","revision":"9"},"kvs":[{"key":"!!"}]}',
      },
      says: /key is no base64/u,
    },
    {
      what: 'answers keys that were not asked for',
      fault: {
        kind: 'answer',
        status: 200,
        body: '{"header":{"cluster_id":"1","revision":"9"},"kvs":[{"key":"emVicmE=","mod_revision":"1"}]}',
      },
      says: /other keys/u,
    },
    {
      what: 'answers null',
      fault: { kind: 'answer', status: 200, body: 'null' },
      says: /no object/u,
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
    proxy.breakAll();
    const isTold = (): boolean => says.test(watched.recorder.lastError ?? '');
    await until(() => watched.recorder.errors.length >= FOUR_TIMES && isTold());
    expect(watched.ids).toEqual(ids(1, 2, 3));
    proxy.fault = () => ({ kind: 'none' });
    await until(isWell(watched));
    await put(4);
    await until(() => watched.ids?.length === 4);
    expect(watched.leastSize).toBe(3);
  });

  it.each<{ what: string; rewrite: (text: string) => string; says: RegExp }>([
    { what: 'nonsense', rewrite: () => 'nonsense\n', says: /no JSON/u },
    {
      what: 'an event that is none',
      rewrite: (text) => text.replace(/"kv":\{/gu, '"kv":7,"x":{'),
      says: /kv is no object/u,
    },
    {
      what: 'events of another cluster',
      rewrite: (text) => text.replace(/"cluster_id":"\d+"/gu, '"cluster_id":"7"'),
      says: /another cluster answers: its id was \d+ and is 7/u,
    },
    {
      what: 'events of other keys',
      rewrite: (text) => text.replace(/"key":"[^"]*"/gu, '"key":"emVicmE="'),
      says: /other keys/u,
    },
    {
      what: 'an error',
      rewrite: () =>
        '{"error":{"grpc_code":14,"http_code":503,"message":"transport is closing"}}\n',
      says: /refused: transport is closing/u,
    },
    {
      what: 'an end in the middle of a character',
      rewrite: (text) => text.slice(0, -20),
      says: /silent|no JSON/u,
    },
  ])('sends $what on an open watch', async ({ rewrite, says }) => {
    const watched = await watchThree();
    // The reading and the confirmation of the watch have come.
    await until(() => proxy.pieceCount >= 2);
    proxy.fault = (path) =>
      path === '/v3/watch' ? { kind: 'rewrite', rewrite } : { kind: 'none' };
    await put(4);
    await until(() => watched.recorder.errors.some(({ message }) => says.test(message)));
    expect(watched.leastSize).toBe(3);
    proxy.fault = () => ({ kind: 'none' });
    await until(() => watched.ids?.length === 4);
    await until(isWell(watched));
  });

  it('delays answers, by less and by more than the time they have', async () => {
    const watched = await watchThree();
    proxy.fault = () => ({ kind: 'delay', delayMs: 300 });
    await put(4);
    await until(() => watched.ids?.length === 4);
    const looks = watched.status.refreshCount;
    await until(() => watched.status.refreshCount > looks + 1);
    expect(watched.recorder.errors).toEqual([]);
    proxy.fault = () => ({ kind: 'delay', delayMs: 2_000 });
    await until(() => watched.recorder.lastError?.includes('answer within') === true);
    expect(watched.ids?.length).toBe(4);
    proxy.fault = () => ({ kind: 'none' });
    await until(isWell(watched));
  });

  it('finds its way back from every fault in turn without a restart', async () => {
    const watched = await watchThree();
    const faults: StreamFault[] = [
      { kind: 'reset' },
      { kind: 'answer', status: 503, body: '' },
      { kind: 'cut' },
      { kind: 'answer', status: 200, body: '[' },
    ];
    let number = 3;
    for (const fault of [...faults, ...faults]) {
      proxy.fault = () => fault;
      proxy.breakAll();
      await until(isUnwell(watched));
      proxy.fault = () => ({ kind: 'none' });
      number += 1;
      await put(number);
      await until(() => watched.ids?.length === number);
    }
    expect(watched.leastSize).toBe(3);
  }, 60_000);
});
