import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A service that decides as a test says, and keeps what it was asked. */
export class Authorizer {
  readonly #server: Server;
  readonly asked: IncomingMessage[] = [];
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => {
    response.end();
  };

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.asked.push(request);
      this.answer(request, response);
    });
  }

  static async start(): Promise<Authorizer> {
    const server = createServer();
    const authorizer = new Authorizer(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return authorizer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/check?by=proxy`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
