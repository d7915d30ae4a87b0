/** Consul, else DNS, else a file: real servers that go away one after the other, and come back. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConsulAgent } from '../../../../../test/support/consul-agent.ts';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { createTemporaryDirectory } from '../../../../../test/support/temporary-directory.ts';
import { createRuntime } from '../../runtime/runtime.ts';
import { consul } from '../consul/consul.ts';
import { dns } from '../dns/dns.ts';
import { file } from '../file/file.ts';
import { createDnsmasq } from '../test-support/name-servers.ts';
import { Recorder, until } from '../test-support/recorder.ts';
import { fallback } from './fallback.ts';
import { merge } from './merge.ts';

const consulServer = requireComponent('consul');
const dnsmasq = requireComponent('dnsmasq');
const isAbsent = consulServer.path === undefined || dnsmasq.path === undefined;

describe.skipIf(isAbsent)('several registries', () => {
  const instance = (number: number) => ({ name: 'users', address: `10.1.0.${number}`, port: 80 });

  it('fall back from Consul to DNS to a file, and return', async ({ onTestFinished }) => {
    const agent = await ConsulAgent.start(consulServer.path ?? '');
    onTestFinished(() => agent.dispose());
    const records = ['--host-record=users.test,10.2.0.1', '--local-ttl=1'];
    const nameServer = await createDnsmasq(dnsmasq.path ?? '', () => records);
    onTestFinished(() => nameServer.stop());
    await nameServer.start();
    const directory = await createTemporaryDirectory('fallback');
    onTestFinished(() => directory.remove());
    const path = join(directory.path, 'last-resort.json');
    await writeFile(path, '["10.3.0.1:80"]');
    await agent.register(instance(1));

    const recorder = new Recorder();
    const servers = [nameServer.address];
    const resolver = fallback(
      [
        consul({ service: 'users', address: agent.address, waitMs: 1_000, maxBackoffMs: 200 }),
        dns({ name: 'users.test', port: 80, servers, minRefreshMs: 100, tryTimeoutMs: 200 }),
        file({ path }),
      ],
      { afterMs: 300 },
    ).create({ cluster: 'users', runtime: createRuntime() });
    onTestFinished(() => resolver.close());
    resolver.start(recorder);
    const uses = (id: string): Promise<void> => until(() => recorder.ids?.join() === id);
    const used = (): string => resolver.status().source;

    await uses('10.1.0.1:80');
    expect(used()).toMatch(/^1 of 3 in use: consul users/u);
    await agent.kill();
    await uses('10.2.0.1:80');
    expect(used()).toMatch(/^2 of 3 in use: dns users.test/u);
    await nameServer.stop();
    await uses('10.3.0.1:80');
    expect(used()).toMatch(/^3 of 3 in use: file/u);
    await nameServer.start();
    await uses('10.2.0.1:80');
    await agent.start();
    await uses('10.1.0.1:80');
    // Never empty on the way, and each step was told.
    expect(Math.min(...recorder.sets.map(({ endpoints }) => endpoints.length))).toBe(1);
    const told = recorder.errors.map(({ message }) => message.split(' ', 1)[0]);
    expect(new Set(told)).toEqual(new Set(['consul', 'dns']));
  });

  it('are merged for a move from one Consul to another', async ({ onTestFinished }) => {
    const agents = await Promise.all([1, 2].map(() => ConsulAgent.start(consulServer.path ?? '')));
    for (const agent of agents) onTestFinished(() => agent.dispose());
    const [old, young] = agents as [ConsulAgent, ConsulAgent];
    for (const number of [1, 2]) await old.register(instance(number));
    const recorder = new Recorder();
    const resolver = merge(
      agents.map(({ address }) => consul({ service: 'users', address, maxBackoffMs: 200 })),
    ).create({ cluster: 'users', runtime: createRuntime() });
    onTestFinished(() => resolver.close());
    resolver.start(recorder);
    await until(() => recorder.ids?.length === 2);
    for (const number of [2, 3]) await young.register(instance(number));
    await until(() => recorder.ids?.length === 3);
    await old.kill();
    await until(() => resolver.status().errorCount > 1);
    await young.register(instance(4));
    await until(() => recorder.ids?.length === 4);
    expect(resolver.status().watch).toMatchObject({ heldCount: 0, restored: false });
  });
});
