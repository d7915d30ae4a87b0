/** Between a client and a real ZooKeeper: passes bytes on, late, or others than the server said. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What happens to the bytes of the server, from now on, on all connections. */
export type Fault =
  | { readonly kind: 'none' }
  /** Every piece comes so much later. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** Instead of the first bytes on a connection, and of all after it. */
  | { readonly kind: 'handshake'; readonly bytes: Buffer }
  /** Instead of the next answer; nothing comes after it. */
  | { readonly kind: 'answer'; readonly bytes: Buffer }
  /** Half of the next piece, then the end. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'reset' };

export class TcpFaultProxy {
  fault: Fault = { kind: 'none' };
  connectionCount = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor(target: { port: number; host: string }) {
    this.#server = createServer((client) => this.#onConnection(client, connect(target)));
  }

  static async start(target: { port: number; host?: string }): Promise<TcpFaultProxy> {
    const proxy = new TcpFaultProxy({ host: '127.0.0.1', ...target });
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get openCount(): number {
    return this.#sockets.size / 2;
  }

  /** Breaks all connections. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #onConnection(client: Socket, server: Socket): void {
    this.connectionCount += 1;
    let isFirst = true;
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    if (this.fault.kind === 'reset') client.resetAndDestroy();
    client.on('data', (chunk) => void server.write(chunk));
    server.on('data', (chunk: Buffer) => {
      this.#onAnswer(client, chunk, isFirst);
      isFirst = false;
    });
  }

  #onAnswer(client: Socket, chunk: Buffer, isFirst: boolean): void {
    const { fault } = this;
    switch (fault.kind) {
      case 'none':
        client.write(chunk);
        return;
      case 'delay': {
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          client.write(chunk);
        }, fault.delayMs);
        this.#timers.add(timer);
        return;
      }
      case 'handshake':
        client.write(isFirst ? fault.bytes : chunk);
        return;
      case 'answer':
        client.write(isFirst ? chunk : fault.bytes);
        return;
      case 'cut':
        client.end(chunk.subarray(0, Math.floor(chunk.length / 2)));
        return;
      case 'reset':
        client.resetAndDestroy();
    }
  }
}

/** A frame as ZooKeeper has them: its length, then 32-bit numbers. */
export function frameOf(...numbers: readonly number[]): Buffer {
  const frame = Buffer.alloc(4 + 4 * numbers.length);
  frame.writeInt32BE(4 * numbers.length, 0);
  for (const [index, value] of numbers.entries()) frame.writeInt32BE(value, 4 + 4 * index);
  return frame;
}
