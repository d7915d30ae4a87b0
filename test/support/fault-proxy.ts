/** An HTTP proxy between a client and a real Consul that can lie, stall and break off. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What happens to a request. */
export type Fault =
  | { readonly kind: 'none' }
  /** The answer is withheld for ever, and the connection stays open: what dropped packets look like. */
  | { readonly kind: 'freeze' }
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** The connection is reset before an answer. */
  | { readonly kind: 'reset' }
  /** The connection breaks off in the middle of the body. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** Consul's answer with other headers; undefined takes one away. */
  | {
      readonly kind: 'headers';
      readonly headers: Readonly<Record<string, string | undefined>>;
    };

export class FaultProxy {
  /** Decides about each request from now on. */
  fault: (url: string) => Fault = () => ({ kind: 'none' });
  /** Paths with queries, in order. */
  readonly requests: string[] = [];
  /** Bytes of bodies handed on. */
  bodyBytes = 0;
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((incoming, outgoing) => this.#onRequest(incoming, outgoing));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(targetPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get openCount(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #onRequest(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const url = incoming.url ?? '';
    this.requests.push(url);
    const fault = this.fault(url);
    switch (fault.kind) {
      case 'freeze':
        return;
      case 'reset':
        incoming.socket.resetAndDestroy();
        return;
      case 'answer':
        outgoing.writeHead(fault.status).end(fault.body);
        return;
      case 'delay': {
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          this.#forward(incoming, outgoing, fault);
        }, fault.delayMs);
        this.#timers.add(timer);
        return;
      }
      case 'none':
      case 'cut':
      case 'headers':
        this.#forward(incoming, outgoing, fault);
    }
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse, fault: Fault): void {
    const call = request({
      host: '127.0.0.1',
      port: this.#targetPort,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
    });
    call.on('error', () => outgoing.destroy());
    outgoing.on('close', () => call.destroy());
    call.on('response', (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', () => outgoing.destroy());
      answer.on('end', () => {
        // What was held back when the fault began is subject to it, too.
        if (this.fault(incoming.url ?? '').kind === 'freeze') return;
        const body = Buffer.concat(chunks);
        this.bodyBytes += body.length;
        const given = { ...answer.headers, ...(fault.kind === 'headers' ? fault.headers : {}) };
        const headers = Object.fromEntries(
          Object.entries(given).filter(([, value]) => value !== undefined),
        );
        outgoing.writeHead(answer.statusCode ?? 500, headers);
        if (fault.kind === 'cut') {
          outgoing.write(body.subarray(0, Math.floor(body.length / 2)), () => outgoing.destroy());
        } else {
          outgoing.end(body);
        }
      });
    });
    incoming.pipe(call);
  }
}
