/** The plain clients, each as its documentation shows, with what a program would keep: a set of addresses. */
import { INSTANCE_PORT, PATH, type RegistryName, SERVICE } from './registry.ts';
import type { Subject, SubjectOptions } from './subject.ts';

/** Of a value that the suite wrote. */
function idOf(value: string): string {
  const { host, port } = JSON.parse(value) as { host: string; port: number };
  return `${host}:${port}`;
}

const STARTERS: Readonly<Record<RegistryName, (options: SubjectOptions) => Promise<Subject>>> = {
  consul: async ({ port, onChange }) => {
    const { default: Consul } = await import('consul');
    const client = new Consul({ port });
    let ids = new Set<string>();
    const watch = client.watch({
      // oxlint-disable-next-line typescript/unbound-method -- as its documentation shows: `watch` binds it
      method: client.health.service,
      options: { service: SERVICE },
    } as unknown as Parameters<typeof client.watch>[0]);
    watch.on('change', (entries: { Service: { Address: string; Port: number } }[]) => {
      ids = new Set(entries.map(({ Service }) => `${Service.Address}:${Service.Port}`));
      onChange();
    });
    watch.on('error', (error: Error) => process.stderr.write(`${error.message}\n`));
    return { has: (id) => ids.has(id), size: () => ids.size };
  },

  zookeeper: async ({ port, onChange }) => {
    const { createClient } = await import('node-zookeeper-client');
    const client = createClient(`127.0.0.1:${port}`);
    const ids = new Map<string, string>();
    const read = (node: string): void =>
      client.getData(
        `${PATH}/${node}`,
        ({ name }) => {
          if (name === 'NODE_DATA_CHANGED') read(node);
        },
        (error, data) => {
          if (error) return;
          ids.set(node, idOf(data.toString()));
          onChange();
        },
      );
    const list = (): void =>
      client.getChildren(PATH, list, (error, nodes) => {
        if (error) return;
        const listed = new Set(nodes);
        for (const node of ids.keys()) if (!listed.has(node)) ids.delete(node);
        for (const node of nodes) if (!ids.has(node)) read(node);
        onChange();
      });
    client.once('connected', list);
    client.connect();
    return {
      has: (id) => ids.get(id.slice(0, -`:${INSTANCE_PORT}`.length)) === id,
      size: () => ids.size,
    };
  },

  etcd: async ({ port, onChange }) => {
    const { Etcd3 } = await import('etcd3');
    const client = new Etcd3({ hosts: `http://127.0.0.1:${port}` });
    const ids = new Map<string, string>();
    const all = await client.getAll().prefix(`${PATH}/`).strings();
    for (const [key, value] of Object.entries(all)) ids.set(key, idOf(value));
    const watcher = await client.watch().prefix(`${PATH}/`).create();
    watcher.on('put', ({ key, value }) => {
      ids.set(key.toString(), idOf(value.toString()));
      onChange();
    });
    watcher.on('delete', ({ key }) => {
      ids.delete(key.toString());
      onChange();
    });
    watcher.on('error', (error) => process.stderr.write(`${error.message}\n`));
    return {
      has: (id) => ids.get(`${PATH}/${id.slice(0, -`:${INSTANCE_PORT}`.length)}`) === id,
      size: () => ids.size,
    };
  },
};

export function startPlain(options: SubjectOptions): Promise<Subject> {
  return STARTERS[options.registry](options);
}
