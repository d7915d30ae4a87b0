/**
 * The package `etcd3` and this library through the same failures of the same real server, side by side. What is shown
 * here is what docs/reference/registry-failures.md says, for better and for worse.
 */
import { etcd } from '@evenkeel/core/etcd';
import { Etcd3, type Watcher } from 'etcd3';
import { describe, expect, it } from 'vitest';
import { EtcdServer } from '../support/etcd-server.ts';
import { NetworkNamespace, requireNamespaces } from '../support/network-namespace.ts';
import { requireComponent } from '../support/require-component.ts';
import { type OnFinished, Ours, until } from './ours.ts';
import { Switch } from './switch.ts';

const component = requireComponent('etcd');
const { ip } = await requireNamespaces();
const PREFIX = 'users/';
const WAIT_MS = 1_000;
const pause = (durationMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, durationMs));

/** The plain client, used as its documentation shows: a list, and a watch on the changes that follow. */
class Plain {
  readonly keys: Set<string>;
  putCount = 0;
  /** What happened to the watch, in order. */
  readonly events: string[] = [];
  readonly #client: Etcd3;

  private constructor(client: Etcd3, keys: readonly string[], watcher: Watcher) {
    this.#client = client;
    this.keys = new Set(keys);
    watcher.on('put', ({ key }) => {
      this.keys.add(key.toString());
      this.putCount += 1;
    });
    watcher.on('delete', ({ key }) => this.keys.delete(key.toString()));
    watcher.on('disconnected', () => this.events.push('disconnected'));
    watcher.on('connected', () => this.events.push('connected'));
    // Without this listener the first error would end the process.
    watcher.on('error', (error) => this.events.push(`error: ${error.message}`));
  }

  static async start(address: string): Promise<Plain> {
    const client = new Etcd3({ hosts: address });
    const keys = Object.keys(await client.getAll().prefix(PREFIX).strings());
    return new Plain(client, keys, await client.watch().prefix(PREFIX).create());
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }
}

async function add(server: EtcdServer, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) await server.put(`${PREFIX}${number}`, `10.0.0.${number}:80`);
}

interface Scene {
  readonly server: EtcdServer;
  /** Between the clients and the server. */
  readonly network: Switch;
  readonly plain: Plain;
  readonly ours: Ours;
}

/** Each test has a server of its own, so that they can wait side by side. Both watch three instances. */
async function start(onTestFinished: OnFinished, namespace?: NetworkNamespace): Promise<Scene> {
  const server = await EtcdServer.start(component.path ?? '', { namespace });
  onTestFinished(() => server.dispose());
  const network = await Switch.start(server.port);
  onTestFinished(() => network.close());
  await add(server, [1, 2, 3]);
  const address = namespace === undefined ? `http://127.0.0.1:${network.port}` : server.address;
  const plain = await Plain.start(address);
  onTestFinished(() => plain.close());
  const ours = new Ours(
    etcd({
      endpoints: [address],
      prefix: PREFIX,
      waitMs: WAIT_MS,
      timeoutMs: 1_000,
      maxBackoffMs: 500,
    }),
  );
  onTestFinished(() => ours.close());
  await until(() => plain.keys.size === 3 && ours.ids.length === 3);
  return { server, network, plain, ours };
}

describe.skipIf(component.path === undefined)('etcd, plain and ours', { concurrent: true }, () => {
  it('a server that is restarted with its data: both come back', async ({ onTestFinished }) => {
    const { server, plain, ours } = await start(onTestFinished);
    await server.kill();
    await until(() => plain.events.includes('disconnected') && !ours.healthy);
    await server.start();
    await add(server, [4]);
    await until(() => plain.keys.size === 4 && ours.ids.length === 4);
    expect(ours.leastSize).toBe(3);
  });

  it('a compaction during an interruption: the watch of plain ends, ours goes on', async ({
    onTestFinished,
  }) => {
    const { server, network, plain, ours } = await start(onTestFinished);
    await add(server, [3]);
    await until(() => plain.putCount === 1);
    network.off();
    await add(server, [1, 2, 3, 4]);
    await server.compact();
    network.on();
    await until(() => plain.events.some((event) => event.startsWith('error: Watcher canceled')));
    await until(() => ours.ids.length === 4);
    await add(server, [5]);
    await until(() => ours.ids.length === 5);
    expect(plain.keys.size).toBe(3);
  });

  it('a server that lost its data: plain hears of nothing, ours follows', async ({
    onTestFinished,
  }) => {
    const { server, plain, ours } = await start(onTestFinished);
    for (let round = 0; round < 40; round += 1) await add(server, [3]);
    await until(() => plain.putCount === 40);
    await server.kill();
    server.loseData();
    await server.start();
    await add(server, [1, 2, 3, 4]);
    await until(() => plain.events.includes('connected') && ours.ids.length === 4);
    await pause(2 * WAIT_MS);
    // Connected and content: it waits for a revision that will not come for long.
    expect(plain.events.at(-1)).toBe('connected');
    expect(plain.keys.size).toBe(3);
    expect(ours.leastSize).toBe(3);
  });

  it.skipIf(ip === undefined)(
    'packets that are dropped: plain notices nothing, ours within the wait',
    async ({ onTestFinished }) => {
      const namespace = await NetworkNamespace.create(ip ?? '');
      onTestFinished(() => namespace.dispose());
      const { server, plain, ours } = await start(onTestFinished, namespace);
      await namespace.cut();
      const cutMs = performance.now();
      await until(() => !ours.healthy);
      expect(performance.now() - cutMs).toBeLessThan(4 * WAIT_MS);
      await pause(6 * WAIT_MS);
      expect(plain.events).toEqual([]);
      await namespace.heal();
      await add(server, [4]);
      // The connection had never ended: what was sent meanwhile is sent again.
      await until(() => plain.keys.size === 4 && ours.ids.length === 4);
      expect(ours.leastSize).toBe(3);
    },
  );
});
