/**
 * Runs in a Node of its own, with nothing in it that keeps it alive: a request that is between two tries must. Prints
 * the code of the error that it ends with.
 */
import { createDispatcher } from '../index.ts';
import { FakeCluster } from './fake-cluster.ts';

const cluster = new FakeCluster({ endpoints: ['127.0.0.1:1'] });
const dispatcher = createDispatcher({
  clusters: [cluster],
  retry: { attempts: 2, maxBackoffMs: 100 },
});
const error = await dispatcher
  .request({ origin: 'http://users', path: '/', method: 'GET' })
  .catch((thrown: { code?: string }) => thrown);
console.log((error as { code?: string }).code, cluster.log.length);
