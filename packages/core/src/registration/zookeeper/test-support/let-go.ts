/** A program that has everything running, is done, and wants to end: nothing of ours may hold it. */
import { createCluster } from '../../../cluster/create-cluster.ts';
import { zookeeper } from '../../../discovery/zookeeper/zookeeper.ts';
import { register } from '../../register.ts';
import { zookeeperRegistry } from '../zookeeper-registry.ts';

const [servers = '', path = ''] = process.argv.slice(2);
const registration = register({
  registry: zookeeperRegistry({ servers, path }),
  ...{ service: 'orders', address: '10.0.0.7', port: 3_000 },
});
const orders = createCluster({ name: 'orders', discovery: zookeeper({ servers, path }) });
await Promise.all([registration.ready(), orders.ready()]);
process.stdout.write('ready\n');
