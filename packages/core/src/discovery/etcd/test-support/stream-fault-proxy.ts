/** An HTTP proxy between a client and a real etcd that hands streams on as they come, and can lie, stall and break off. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What happens to a request, and to a stream that is open. */
export type StreamFault =
  | { readonly kind: 'none' }
  /** Nothing comes any more, not of open streams either, and the connection stays open. */
  | { readonly kind: 'freeze' }
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'reset' }
  /** The connection breaks off in the middle of the next piece. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** Pieces are others than the server's. */
  | { readonly kind: 'rewrite'; readonly rewrite: (text: string) => string };

export class StreamFaultProxy {
  /** Decides about requests and pieces of answers from now on, by path. */
  fault: (path: string) => StreamFault = () => ({ kind: 'none' });
  /** Paths, in order. */
  readonly requests: string[] = [];
  /** Pieces of streams that were handed on. */
  pieceCount = 0;
  readonly #server: Server;
  #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Ends what comes of an exchange, without telling the client. */
  readonly #forwarded = new Set<() => void>();

  private constructor(target: { host: string; port: number }) {
    this.#target = target;
    this.#server = createServer((incoming, outgoing) => this.#onRequest(incoming, outgoing));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(port: number, host: string = '127.0.0.1'): Promise<StreamFaultProxy> {
    const proxy = new StreamFaultProxy({ host, port });
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

  countOf(path: string): number {
    return this.requests.filter((one) => one === path).length;
  }

  /** Another server stands behind it from now on; connections to the old one fall silent, and nobody is told. */
  redirect(port: number): void {
    this.#target = { ...this.#target, port };
    for (const cut of this.#forwarded) cut();
  }

  /** Breaks all connections that are open. */
  breakAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #onRequest(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const path = incoming.url ?? '';
    this.requests.push(path);
    const fault = this.fault(path);
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
          this.#forward(incoming, outgoing);
        }, fault.delayMs);
        this.#timers.add(timer);
        return;
      }
      case 'none':
      case 'cut':
      case 'rewrite':
        this.#forward(incoming, outgoing);
    }
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const path = incoming.url ?? '';
    const call = request({
      ...this.#target,
      method: incoming.method,
      path,
      headers: incoming.headers,
    });
    let isSilent = false;
    const silence = (): void => {
      isSilent = true;
      call.destroy();
    };
    this.#forwarded.add(silence);
    const giveUp = (): void => void (isSilent || outgoing.destroy());
    call.on('error', giveUp);
    outgoing.on('close', () => {
      this.#forwarded.delete(silence);
      call.destroy();
    });
    call.on('response', (answer) => {
      const { 'content-length': _, ...headers } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 500, headers);
      outgoing.flushHeaders();
      answer.on('data', (chunk: Buffer) => this.#onPiece(path, chunk, outgoing));
      answer.on('error', giveUp);
      answer.on('end', () => {
        const { kind } = this.fault(path);
        if (kind !== 'freeze' && kind !== 'cut') outgoing.end();
      });
    });
    incoming.pipe(call);
  }

  #onPiece(path: string, chunk: Buffer, outgoing: ServerResponse): void {
    const fault = this.fault(path);
    if (fault.kind === 'freeze') return;
    this.pieceCount += 1;
    if (fault.kind === 'cut') {
      outgoing.write(chunk.subarray(0, chunk.length >> 1), () => outgoing.destroy());
    } else if (fault.kind === 'rewrite') {
      outgoing.write(fault.rewrite(chunk.toString('utf8')));
    } else {
      outgoing.write(chunk);
    }
  }
}
