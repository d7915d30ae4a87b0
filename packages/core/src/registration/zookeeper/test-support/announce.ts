/** A program that announces itself until it is killed, or nobody holds its input any more. */
import { register } from '../../register.ts';
import { zookeeperRegistry } from '../zookeeper-registry.ts';

const [servers = '', path = ''] = process.argv.slice(2);
const registration = register({
  registry: zookeeperRegistry({ servers, path, sessionTimeoutMs: 1_500 }),
  ...{ service: 'orders', address: '10.0.0.7', port: 3_000, lingerMs: 0 },
});
process.stdin.on('end', () => void registration.close());
process.stdin.resume();
