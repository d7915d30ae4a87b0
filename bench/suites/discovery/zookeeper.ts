import { type Client, createClient, type Exception } from 'node-zookeeper-client';
import { requireComponent } from '../../../test/support/require-component.ts';
import { ZookeeperServer } from '../../../test/support/zookeeper-server.ts';
import { type BenchRegistry, type Instance, PATH, payloadOf } from './registry.ts';

/** Calls under way at a time while the service is filled. */
const BATCH = 500;

const nodeOf = ({ host }: Instance): string => `${PATH}/${host}`;

/** One call of the client, which reports by callback. */
function call(run: (done: (error: Error | Exception | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) =>
    run((error) => {
      // The published types say null, the package says nothing.
      if (!error) resolve();
      else reject(new Error(`zookeeper: ${error.toString()}`));
    }),
  );
}

const create = (client: Client, path: string, data: string): Promise<void> =>
  call((done) => client.create(path, Buffer.from(data), done));

export const zookeeperRegistry: BenchRegistry = {
  name: 'zookeeper',
  start: async () => {
    if (requireComponent('zookeeper').path === undefined) return undefined;
    const server = await ZookeeperServer.start();
    const client = createClient(server.address, { sessionTimeout: 30_000 });
    const connected = new Promise<void>((resolve) => client.once('connected', () => resolve()));
    client.connect();
    await connected;
    await call((done) => client.mkdirp(PATH, done));
    const known = new Set<string>();
    const put = async (instance: Instance): Promise<void> => {
      const path = nodeOf(instance);
      if (known.has(path)) {
        await call((done) => client.setData(path, Buffer.from(payloadOf(instance)), -1, done));
        return;
      }
      known.add(path);
      await create(client, path, payloadOf(instance));
    };
    return {
      port: server.port,
      fill: async (instances) => {
        for (let start = 0; start < instances.length; start += BATCH) {
          await Promise.all(instances.slice(start, start + BATCH).map(put));
        }
      },
      put,
      remove: async (instance) => {
        known.delete(nodeOf(instance));
        await call((done) => client.remove(nodeOf(instance), -1, done));
      },
      stop: async () => {
        client.close();
        await server.dispose();
      },
    };
  },
};
