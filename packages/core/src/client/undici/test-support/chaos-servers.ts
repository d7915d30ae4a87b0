/**
 * Ten HTTP servers that misbehave on command, in a process of their own: what they spend must not be taken from the client
 * under test, nor its timers be delayed by them.
 *
 * ```text
 *   parent ── { id, fault } ──► here ── { id } when the fault is in force
 * ```
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** How a server behaves. `down`: not listening, all connections reset. `flapping`: down and up again every 300 ms. */
export type Fault = 'none' | 'down' | 'hung' | 'slow' | 'reset-mid-body' | 'fast-503' | 'flapping';

export interface ChaosCommand {
  readonly server: number;
  readonly fault: Fault;
}

/** What a server answers: enough to come in more than one piece. */
export const BODY: string = 'evenkeel '.repeat(200);
export const SERVICE_MS = 2;
export const SLOW_FACTOR = 16;
const FLAP_MS = 300;

class ChaosServer {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #fault: Fault = 'none';
  #port = 0;
  #flap: NodeJS.Timeout | undefined;

  async listen(): Promise<number> {
    const server = createServer((request, response) => this.#answer(request, response));
    server.keepAliveTimeout = 0;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    return this.#port;
  }

  async become(fault: Fault): Promise<void> {
    clearInterval(this.#flap);
    this.#fault = fault;
    if (fault === 'down') await this.#die();
    else if (this.#server === undefined) await this.listen();
    if (fault === 'flapping') {
      this.#flap = setInterval(() => {
        void (this.#server === undefined ? this.listen() : this.#die()).catch(() => undefined);
      }, FLAP_MS);
    }
    // What a hung server has swallowed stays swallowed: its clients have to give it up.
  }

  /** As if the process had been killed. */
  async #die(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    switch (this.#fault) {
      case 'hung':
        return;
      case 'fast-503':
        response.writeHead(503).end('no');
        return;
      case 'reset-mid-body':
        response.writeHead(200, { 'content-length': String(BODY.length) });
        response.write(BODY.slice(0, BODY.length / 2), () => request.socket.resetAndDestroy());
        return;
      case 'slow':
        setTimeout(() => response.end(BODY), SERVICE_MS * SLOW_FACTOR);
        return;
      case 'none':
      case 'down':
      case 'flapping':
        setTimeout(() => response.end(BODY), SERVICE_MS);
    }
  }
}

if (process.send !== undefined) {
  const servers = Array.from({ length: Number(process.argv[2]) }, () => new ChaosServer());
  process.on('message', ({ server, fault }: ChaosCommand) => {
    void servers[server]?.become(fault).then(() => process.send?.({ server }));
  });
  process.on('disconnect', () => process.exit());
  const ports = await Promise.all(servers.map((server) => server.listen()));
  process.send({ ports });
}
