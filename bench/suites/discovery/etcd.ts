import { EtcdServer } from '../../../test/support/etcd-server.ts';
import { requireComponent } from '../../../test/support/require-component.ts';
import { type BenchRegistry, type Instance, PATH, payloadOf } from './registry.ts';

const keyOf = ({ host }: Instance): string => `${PATH}/${host}`;

export const etcdRegistry: BenchRegistry = {
  name: 'etcd',
  start: async () => {
    const { path } = requireComponent('etcd');
    if (path === undefined) return undefined;
    const server = await EtcdServer.start(path);
    return {
      port: server.port,
      fill: (instances) =>
        server.putAll(instances.map((instance) => [keyOf(instance), payloadOf(instance)] as const)),
      put: (instance) => server.put(keyOf(instance), payloadOf(instance)),
      remove: (instance) => server.delete(keyOf(instance)),
      stop: () => server.dispose(),
    };
  },
};
