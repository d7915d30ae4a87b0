/**
 * The package `consul` and this library through the same failures of the same real server, side by side. What is shown
 * here is what docs/reference/registry-failures.md says, for better and for worse.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { consul } from '@evenkeel/core/consul';
import Consul from 'consul';
import { describe, expect, it } from 'vitest';
import { ConsulAgent } from '../support/consul-agent.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { requireComponent } from '../support/require-component.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';
import { type OnFinished, Ours, until } from './ours.ts';

const component = requireComponent('consul');
const SERVICE = 'users';
const instance = (number: number) => ({
  name: SERVICE,
  address: `10.0.0.${number}`,
  port: 80,
});

/** The plain client, used as its documentation shows. */
class Plain {
  ids: string[] | undefined;
  changeCount = 0;
  errorCount = 0;
  readonly #watch: ReturnType<Consul['watch']>;

  constructor(port: number, token?: string) {
    const client = new Consul({ port });
    this.#watch = client.watch({
      // oxlint-disable-next-line typescript/unbound-method -- as its documentation shows: `watch` binds it
      method: client.health.service,
      options: { service: SERVICE, wait: '1s', ...(token === undefined ? {} : { token }) },
    } as unknown as Parameters<Consul['watch']>[0]);
    this.#watch.on('change', (entries: { Service: { Address: string; Port: number } }[]) => {
      this.changeCount += 1;
      this.ids = entries.map(({ Service }) => `${Service.Address}:${Service.Port}`).sort();
    });
    // Without this listener the first error would end the process.
    this.#watch.on('error', () => (this.errorCount += 1));
  }

  get isRunning(): boolean {
    return this.#watch.isRunning();
  }

  close(): Promise<void> {
    this.#watch.end();
    return Promise.resolve();
  }
}

interface Scene {
  readonly agent: ConsulAgent;
  readonly proxy: FaultProxy;
}

/** Each test has a server of its own, so that they can wait side by side. */
async function start(onTestFinished: OnFinished, token?: string): Promise<Scene> {
  const options = token === undefined ? {} : { acl: { token } };
  const agent = await ConsulAgent.start(component.path ?? '', options);
  onTestFinished(() => agent.dispose());
  const proxy = await FaultProxy.start(agent.port);
  onTestFinished(() => proxy.close());
  for (const number of [1, 2, 3]) await agent.register(instance(number));
  return { agent, proxy };
}

/** Both watch three instances. */
async function watch(
  onTestFinished: OnFinished,
  { proxy }: Scene,
  tokens?: { readonly plain: string; readonly file: string },
): Promise<{ readonly plain: Plain; readonly ours: Ours }> {
  const { port } = new URL(proxy.address);
  const plain = new Plain(Number(port), tokens?.plain);
  onTestFinished(() => plain.close());
  const ours = new Ours(
    consul({
      address: proxy.address,
      service: SERVICE,
      waitMs: 1_000,
      timeoutMs: 1_000,
      maxBackoffMs: 500,
      pollIntervalMs: 200,
      ...(tokens === undefined ? {} : { tokenFile: tokens.file }),
    }),
  );
  onTestFinished(() => ours.close());
  await until(() => plain.ids?.length === 3 && ours.ids?.length === 3);
  return { plain, ours };
}

describe.skipIf(component.path === undefined)(
  'consul, plain and ours',
  { concurrent: true },
  () => {
    it('a server that is restarted with its data: both come back', async ({ onTestFinished }) => {
      const scene = await start(onTestFinished);
      const { agent } = scene;
      const { plain, ours } = await watch(onTestFinished, scene);
      await agent.kill();
      await until(() => plain.errorCount > 0 && !ours.healthy);
      await agent.start();
      await agent.register(instance(4));
      await until(() => plain.ids?.length === 4 && ours.ids?.length === 4);
    });

    it('a server that lost its data: plain has no endpoint left, ours keeps all', async ({
      onTestFinished,
    }) => {
      const scene = await start(onTestFinished);
      const { agent } = scene;
      const { plain, ours } = await watch(onTestFinished, scene);
      await agent.kill();
      agent.loseData();
      await agent.start();
      await until(() => plain.ids?.length === 0);
      await until(() => ours.lastError?.includes('lists no endpoint') === true);
      expect(ours.leastSize).toBe(3);
    });

    it('an answer without an index, once: plain ends for good, ours goes on', async ({
      onTestFinished,
    }) => {
      const scene = await start(onTestFinished);
      const { agent, proxy } = scene;
      const { plain, ours } = await watch(onTestFinished, scene);
      proxy.fault = () => ({ kind: 'headers', headers: { 'x-consul-index': undefined } });
      await until(() => !plain.isRunning);
      await until(() => ours.lastError?.includes('no usable index') === true);
      proxy.fault = () => ({ kind: 'none' });
      await agent.register(instance(4));
      await until(() => ours.ids?.length === 4);
      expect(plain.isRunning).toBe(false);
      expect(plain.ids).toHaveLength(3);
    });

    it('answers that are withheld: both notice by the time that a wait may take', async ({
      onTestFinished,
    }) => {
      const scene = await start(onTestFinished);
      const { agent, proxy } = scene;
      const { plain, ours } = await watch(onTestFinished, scene);
      proxy.fault = () => ({ kind: 'freeze' });
      await until(() => plain.errorCount > 0 && !ours.healthy);
      proxy.fault = () => ({ kind: 'none' });
      await agent.register(instance(4));
      await until(() => plain.ids?.length === 4 && ours.ids?.length === 4);
    });

    it('a service that changes all the time: plain asks as often, ours five times a second', async ({
      onTestFinished,
    }) => {
      const scene = await start(onTestFinished);
      const { agent, proxy } = scene;
      await watch(onTestFinished, scene);
      proxy.requests.length = 0;
      const fromOurs = (url: string): boolean => url.includes('stale');
      const startMs = performance.now();
      const elapsedMs = (): number => performance.now() - startMs;
      let changes = 0;
      for (; changes < 200 || elapsedMs() < 2_000; changes += 1) {
        await agent.register({ ...instance(1), meta: { round: String(changes) } });
      }
      const ours = proxy.requests.filter(fromOurs).length;
      const plain = proxy.requests.length - ours;
      expect(ours).toBeLessThanOrEqual((5 * elapsedMs()) / 1_000 + 2);
      // As fast as it can: on a machine that is busy with other tests, several changes may come in one answer.
      expect(plain).toBeGreaterThan(changes / 4);
    });

    it('a token that sees nothing any more: plain has no endpoint left, ours keeps all', async ({
      onTestFinished,
    }) => {
      const token = '4f1f3c0e-5b6a-4a53-9d1b-5b3a7f6f2f10';
      const scene = await start(onTestFinished, token);
      const { agent } = scene;
      const read = 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }';
      const policy = { Name: 'reader', Rules: read };
      const { ID } = (await agent.put('/v1/acl/policy', policy)) as { ID: string };
      const { SecretID } = (await agent.put('/v1/acl/token', {
        Policies: [{ Name: 'reader' }],
      })) as { SecretID: string };
      const directory = await createTemporaryDirectory('registry-failures');
      onTestFinished(() => directory.remove());
      const file = join(directory.path, 'token');
      await writeFile(file, SecretID);
      const { plain, ours } = await watch(onTestFinished, scene, { plain: SecretID, file });
      await agent.put(`/v1/acl/policy/${ID}`, { ...policy, ID, Rules: '' });
      await until(() => ours.lastError?.includes('lists no endpoint') === true);
      // Under the old index the plain client does not look at the list; the next change takes everything away.
      expect(plain.ids).toHaveLength(3);
      await agent.register(instance(4));
      await until(() => plain.ids?.length === 0);
      expect(ours.leastSize).toBe(3);
    });
  },
);
