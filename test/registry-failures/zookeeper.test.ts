/**
 * The package `node-zookeeper-client` and this library through the same failures of the same real server, side by side.
 * What is shown here is what docs/reference/registry-failures.md says, for better and for worse.
 */
import { zookeeper } from '@evenkeel/core/zookeeper';
import { type Client, createClient } from 'node-zookeeper-client';
import { describe, expect, it } from 'vitest';
import { NetworkNamespace, requireNamespaces } from '../support/network-namespace.ts';
import { requireComponent } from '../support/require-component.ts';
import { ZookeeperServer } from '../support/zookeeper-server.ts';
import { type OnFinished, Ours, until } from './ours.ts';

const component = requireComponent('zookeeper');
const { ip } = await requireNamespaces();
const PATH = '/users';
const SESSION_MS = 1_500;

/** The plain client, used as its documentation shows: the list, watched, and read again at each event. */
class Plain {
  ids: readonly string[] | undefined;
  /** States after the first connection, in order. */
  readonly states: string[] = [];
  readonly #client: Client;

  constructor(address: string) {
    this.#client = createClient(address, { sessionTimeout: SESSION_MS, spinDelay: 100 });
    this.#client.once('connected', () => this.#list());
    this.#client.on('state', (state) => this.states.push(state.name));
    this.#client.connect();
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }

  #list(): void {
    this.#client.getChildren(
      PATH,
      () => this.#list(),
      (error, children) => {
        if (!error) this.ids = [...children].sort();
      },
    );
  }
}

/** Who changes the instances: one call, one session. */
async function add(server: ZookeeperServer, numbers: readonly number[]): Promise<void> {
  const client = createClient(server.address, { sessionTimeout: 10_000 });
  const connected = new Promise<void>((resolve) => client.once('connected', () => resolve()));
  client.connect();
  await connected;
  const create = (path: string, data: string): Promise<void> =>
    new Promise((resolve, reject) =>
      client.create(path, Buffer.from(data), (error) => {
        if (error && !/NODE_EXISTS/u.test(String(error))) reject(error as unknown as Error);
        else resolve();
      }),
    );
  await create(PATH, '');
  for (const number of numbers) await create(`${PATH}/i${number}`, `10.0.0.${number}:80`);
  client.close();
}

interface Scene {
  readonly server: ZookeeperServer;
  readonly plain: Plain;
  readonly ours: Ours;
}

/** Each test has a server of its own, so that they can wait side by side. Both watch three instances. */
async function start(onTestFinished: OnFinished, namespace?: NetworkNamespace): Promise<Scene> {
  const server = await ZookeeperServer.start(namespace === undefined ? {} : { namespace });
  onTestFinished(() => server.dispose());
  await add(server, [1, 2, 3]);
  const plain = new Plain(server.address);
  onTestFinished(() => plain.close());
  const ours = new Ours(
    zookeeper({
      servers: server.address,
      path: PATH,
      sessionTimeoutMs: SESSION_MS,
      timeoutMs: 1_000,
      maxBackoffMs: 500,
    }),
  );
  onTestFinished(() => ours.close());
  await until(() => plain.ids?.length === 3 && ours.ids.length === 3);
  plain.states.length = 0;
  return { server, plain, ours };
}

describe.skipIf(component.path === undefined)(
  'zookeeper, plain and ours',
  { concurrent: true },
  () => {
    it('a server that is restarted with its data: both come back', async ({ onTestFinished }) => {
      const { server, plain, ours } = await start(onTestFinished);
      await server.kill();
      await until(() => plain.states.includes('DISCONNECTED') && !ours.healthy);
      await server.start();
      await add(server, [4]);
      await until(() => plain.ids?.length === 4 && ours.ids.length === 4);
      expect(ours.leastSize).toBe(3);
    });

    it('a pause longer than the session: plain is closed for good, ours goes on', async ({
      onTestFinished,
    }) => {
      const { server, plain, ours } = await start(onTestFinished);
      // The server counts time while it is stopped, too: the session is over when it goes on, unless the client is
      // faster to come back than the server is to look. Then it was lucky, and is stopped once more.
      for (let pauses = 0; pauses < 5 && !plain.states.includes('EXPIRED'); pauses++) {
        await until(() => ours.healthy);
        plain.states.length = 0;
        server.pause();
        await until(() => !ours.healthy);
        await new Promise((resolve) => setTimeout(resolve, 2 * SESSION_MS));
        server.resume();
        await until(() => /EXPIRED|SYNC_CONNECTED/.test(plain.states.join(' ')));
      }
      expect(plain.states).toContain('EXPIRED');
      await add(server, [4]);
      await until(() => ours.ids.length === 4);
      await new Promise((resolve) => setTimeout(resolve, 2 * SESSION_MS));
      expect(plain.states.slice(plain.states.indexOf('EXPIRED'))).toEqual([
        'EXPIRED',
        'DISCONNECTED',
      ]);
      expect(plain.ids).toHaveLength(3);
      expect(ours.leastSize).toBe(3);
    });

    it('a server that lost its data: plain never comes back, ours keeps all and does', async ({
      onTestFinished,
    }) => {
      const { server, plain, ours } = await start(onTestFinished);
      await server.kill();
      server.loseData();
      await server.start();
      await add(server, [1, 2, 3, 4]);
      await until(() => ours.ids.length === 4);
      await new Promise((resolve) => setTimeout(resolve, 2 * SESSION_MS));
      expect(plain.states).not.toContain('SYNC_CONNECTED');
      expect(plain.ids).toHaveLength(3);
      expect(ours.leastSize).toBe(3);
    });

    it.skipIf(ip === undefined)(
      'packets that are dropped: plain notices nothing, ours within the session',
      async ({ onTestFinished }) => {
        const namespace = await NetworkNamespace.create(ip ?? '');
        onTestFinished(() => namespace.dispose());
        const { server, plain, ours } = await start(onTestFinished, namespace);
        await namespace.cut();
        const cutMs = performance.now();
        await until(() => !ours.healthy);
        expect(performance.now() - cutMs).toBeLessThan(4 * SESSION_MS);
        await new Promise((resolve) => setTimeout(resolve, 4 * SESSION_MS));
        // Its session has been over for long.
        expect(plain.states).toEqual([]);
        await namespace.heal();
        await add(server, [4]);
        await until(() => ours.ids.length === 4);
        await until(() => plain.states.includes('EXPIRED'));
        expect(plain.ids).toHaveLength(3);
        expect(ours.leastSize).toBe(3);
      },
    );
  },
);
