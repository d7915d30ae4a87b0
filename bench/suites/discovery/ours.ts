/** This library: a cluster with the defaults, asked for what it would pick from. */
import { createCluster, type Discovery } from '@evenkeel/core';
import { PATH, type RegistryName, SERVICE } from './registry.ts';
import type { Subject, SubjectOptions } from './subject.ts';

const DISCOVERIES: Readonly<Record<RegistryName, (port: number) => Promise<Discovery>>> = {
  consul: async (port) => {
    const { consul } = await import('@evenkeel/core/consul');
    return consul({ address: `http://127.0.0.1:${port}`, service: SERVICE });
  },
  zookeeper: async (port) => {
    const { zookeeper } = await import('@evenkeel/core/zookeeper');
    return zookeeper({ servers: `127.0.0.1:${port}`, path: PATH });
  },
  etcd: async (port) => {
    const { etcd } = await import('@evenkeel/core/etcd');
    return etcd({ endpoints: [`http://127.0.0.1:${port}`], prefix: `${PATH}/` });
  },
};

export async function startOurs({ registry, port, onChange }: SubjectOptions): Promise<Subject> {
  const discovery = await DISCOVERIES[registry](port);
  const cluster = createCluster({ name: 'bench', discovery });
  cluster.subscribe(({ type }) => {
    if (type === 'membership-changed') onChange();
  });
  return {
    has: (id) => {
      const state = cluster.snapshot().endpoints.find((endpoint) => endpoint.id === id)?.state;
      return state !== undefined && state !== 'draining';
    },
    size: () => cluster.snapshot().endpoints.length,
  };
}
