import { ConsulAgent } from '../../../test/support/consul-agent.ts';
import { requireComponent } from '../../../test/support/require-component.ts';
import { type BenchRegistry, type Instance, INSTANCE_PORT, SERVICE } from './registry.ts';

/** In the catalogue, on a node of its own: the agent's own services are few, and its reconciliation is not measured. */
const NODE = 'bench';

const idOf = ({ host }: Instance): string => `${SERVICE}-${host}`;

function serviceOf(instance: Instance): object {
  return {
    ID: idOf(instance),
    Service: SERVICE,
    Address: instance.host,
    Port: INSTANCE_PORT,
    Weights: { Passing: instance.weight, Warning: 1 },
  };
}

export const consulRegistry: BenchRegistry = {
  name: 'consul',
  start: async () => {
    const { path } = requireComponent('consul');
    if (path === undefined) return undefined;
    const agent = await ConsulAgent.start(path);
    const register = (instance: Instance): Promise<unknown> =>
      agent.put('/v1/catalog/register', {
        Node: NODE,
        Address: '127.0.0.1',
        SkipNodeUpdate: true,
        Service: serviceOf(instance),
      });
    await agent.put('/v1/catalog/register', { Node: NODE, Address: '127.0.0.1' });
    return {
      port: agent.port,
      fill: (instances) =>
        agent.catalog(
          NODE,
          instances.map((instance) => ({
            id: idOf(instance),
            name: SERVICE,
            address: instance.host,
            port: INSTANCE_PORT,
          })),
        ),
      put: async (instance) => void (await register(instance)),
      remove: async (instance) =>
        void (await agent.put('/v1/catalog/deregister', { Node: NODE, ServiceID: idOf(instance) })),
      stop: () => agent.dispose(),
    };
  },
};
