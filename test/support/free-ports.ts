import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Ports for servers that cannot be told to take any. Below the range that the system gives to outgoing connections
 * (32,768 and up on Linux, 49,152 and up elsewhere): otherwise one of the many connections of the tests would now and
 * then take a port between our finding it and the server's using it.
 */
const FIRST = 10_000;
const COUNT = 22_000;

/** Handed out by this process: not again, since tests run side by side. */
const taken = new Set<number>();

/** Ports that nobody has at the moment; all are held until the last is known, so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (taken.has(port)) continue;
    taken.add(port);
    const server = await listening(port);
    if (server === undefined) continue;
    servers.push(server);
    ports.push(port);
  }
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return ports;
}

/** Undefined when somebody else has the port, on any address. */
async function listening(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port);
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}
