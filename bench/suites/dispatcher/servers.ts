/**
 * The servers, all in one process. They answer from a prepared buffer without parsing more than the end of a request's
 * head, so that the client under test is what limits the rate, not they.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { serve } from '../../support/child.ts';

/** How one server behaves. */
export interface ServerPlan {
  /** Default 200. */
  readonly status?: number;
  /** Time before each answer. Default 0. */
  readonly delayMs?: number;
}

export type ServersRequest =
  | { readonly kind: 'start'; readonly plans: readonly ServerPlan[] }
  | { readonly kind: 'kill'; readonly port: number };

/** Ports of the servers that were started; empty after a kill. */
export type ServersReply = readonly number[];

const BODY = JSON.stringify({
  users: Array.from({ length: 12 }, (_, id) => ({ id, name: `user number ${id}` })),
});
const running = new Map<number, { server: Server; sockets: Set<Socket> }>();

async function start({ status = 200, delayMs = 0 }: ServerPlan): Promise<number> {
  const answer = Buffer.from(
    `HTTP/1.1 ${status} Status\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
  );
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    // Clients send one small request at a time: a chunk is a request.
    socket.on('data', () => {
      if (delayMs === 0) socket.write(answer);
      else setTimeout(() => socket.write(answer), delayMs);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as { port: number };
  running.set(port, { server, sockets });
  return port;
}

serve(async (request: ServersRequest): Promise<ServersReply> => {
  switch (request.kind) {
    case 'start':
      return Promise.all(request.plans.map(start));
    case 'kill': {
      const victim = running.get(request.port);
      running.delete(request.port);
      victim?.server.close();
      for (const socket of victim?.sockets ?? []) socket.destroy();
      return [];
    }
  }
});
