/** Every example runs as its header says, ends by itself and says something. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConsulAgent } from './support/consul-agent.ts';
import { EtcdServer } from './support/etcd-server.ts';
import { requireComponent } from './support/require-component.ts';
import { repositoryRoot, runProcess } from './support/run-process.ts';
import { ZookeeperServer } from './support/zookeeper-server.ts';

/** A server that an example finds by its environment, as the header of the example says. */
interface Server {
  readonly env: Readonly<Record<string, string>>;
  dispose(): Promise<void>;
}

const STARTERS: Readonly<Record<string, (command: string) => Promise<Server>>> = {
  consul: async (command) => {
    const agent = await ConsulAgent.start(command);
    return { env: { CONSUL_HTTP_ADDR: agent.address }, dispose: () => agent.dispose() };
  },
  etcd: async (command) => {
    const server = await EtcdServer.start(command);
    return { env: { ETCDCTL_ENDPOINTS: server.address }, dispose: () => server.dispose() };
  },
  zookeeper: async () => {
    const server = await ZookeeperServer.start();
    return { env: { ZOOKEEPER_SERVERS: server.address }, dispose: () => server.dispose() };
  },
};

/** What an example needs of the machine. */
const MACHINE: Readonly<Record<string, readonly string[]>> = {
  'l4-gateway.ts': ['bpf', 'ip'],
  'l4-two-gateways.ts': ['bpf', 'ip'],
};

/** Which component an example needs; the others need none. */
const NEEDS: Readonly<Record<string, string>> = {
  'consul.ts': 'consul',
  'etcd.ts': 'etcd',
  'registration.ts': 'consul',
  'zookeeper.ts': 'zookeeper',
};

const names = (await readdir(join(repositoryRoot, 'examples'))).filter((name) =>
  name.endsWith('.ts'),
);

describe('examples', () => {
  it.for(names)('%s', async (name, { skip }) => {
    for (const component of MACHINE[name] ?? []) {
      const { path, reason } = requireComponent(component);
      if (path === undefined) skip(reason);
    }
    const server = await serverOf(name, skip);
    try {
      const { code, stdout, stderr } = await runProcess(
        'node',
        ['--conditions=@evenkeel/source', `examples/${name}`],
        { env: server?.env ?? {} },
      );
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(stdout.trim().split('\n').length).toBeGreaterThan(1);
    } finally {
      await server?.dispose();
    }
  });
});

async function serverOf(
  name: string,
  skip: (reason?: string) => unknown,
): Promise<Server | undefined> {
  const component = NEEDS[name];
  const start = component === undefined ? undefined : STARTERS[component];
  if (component === undefined || start === undefined) return undefined;
  const { path, reason } = requireComponent(component);
  if (path !== undefined) return start(path);
  skip(reason);
  return undefined;
}
