import net from 'node:net';
import { once } from 'node:events';

/** A client that writes bytes as told and keeps all that comes back. */
export class RawClient {
  readonly socket: net.Socket;
  received = '';
  ended = false;
  closed = false;
  #wake: (() => void) | undefined = undefined;

  constructor(port: number, options: Partial<net.TcpNetConnectOpts> = {}) {
    this.socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, ...options });
    this.socket.on('data', (bytes: Buffer) => {
      this.received += bytes.toString('latin1');
      this.#wake?.();
    });
    this.socket.on('end', () => {
      this.ended = true;
      this.#wake?.();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
      this.#wake?.();
    });
  }

  async connected(): Promise<this> {
    await once(this.socket, 'connect');
    return this;
  }

  send(text: string | Buffer): this {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
    return this;
  }

  /** Waits until what came satisfies the condition. */
  async until(condition: (client: this) => boolean, what = 'what was expected'): Promise<this> {
    const limit = Date.now() + 5_000;
    while (!condition(this)) {
      const left = limit - Date.now();
      if (left <= 0)
        throw new Error(`${what} did not come; there is ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this;
  }

  untilText(text: string): Promise<this> {
    return this.until(() => this.received.includes(text), JSON.stringify(text));
  }

  untilEnd(): Promise<this> {
    return this.until(() => this.ended || this.closed, 'the end');
  }

  destroy(): void {
    this.socket.destroy();
  }
}
