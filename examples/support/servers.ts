import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Sample servers on loopback, one per handler. */
export async function startServers(handlers: readonly RequestListener[]): Promise<SampleServers> {
  const servers = handlers.map((handler) => createServer(handler).listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  return {
    addresses: servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`),
    async close() {
      await Promise.all(
        servers.map((server) => {
          server.close();
          server.closeAllConnections();
          return once(server, 'close');
        }),
      );
    },
  };
}

export interface SampleServers {
  readonly addresses: readonly string[];
  close(): Promise<void>;
}
