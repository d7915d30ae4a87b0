/**
 * One sample HTTP server in a process of its own, so that killing it is real. Its parent tells it over IPC how to
 * behave, and it ends when its parent does.
 */
import { createServer } from 'node:http';

/** How a sample server answers. */
export type Behaviour = 'well' | 'slow' | 'failing';

/** What it tells its parent once. */
export interface ServerReady {
  readonly port: number;
}

/** Time that an answer takes on average when all is well. */
const SERVICE_MS = 3;
const SLOW_FACTOR = 20;

if (import.meta.main) {
  const name = process.argv[2] ?? 'server';
  let behaviour: Behaviour = 'well';

  const server = createServer((request, response) => {
    response.setHeader('x-server', name);
    // The health check sees a process that is up: finding out about the rest is the balancer's job.
    if (request.url === '/healthz') {
      response.end('ok');
      return;
    }
    if (behaviour === 'failing') {
      response.writeHead(503).end('out of order\n');
      return;
    }
    const serviceMs = SERVICE_MS * (0.5 + Math.random()) * (behaviour === 'slow' ? SLOW_FACTOR : 1);
    setTimeout(() => response.end(`hello from ${name}\n`), serviceMs);
  });

  process.on('message', (message) => {
    behaviour = message as Behaviour;
  });
  process.on('disconnect', () => process.exit());
  // A Ctrl-C reaches the whole group; the parent decides when its servers end.
  process.on('SIGINT', () => undefined);

  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    process.send?.({ port } satisfies ServerReady);
  });
}
