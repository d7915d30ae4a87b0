import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** The sockets that checks have open, so that closing can end them all and wait until they are gone. */
export class OpenSockets {
  readonly #sockets = new Set<Duplex>();

  get size(): number {
    return this.#sockets.size;
  }

  /** Enters a new socket, which then no longer keeps the process alive. */
  add(socket: Duplex): void {
    if (socket instanceof Socket) socket.unref();
    if (socket.closed) return;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** Destroys all sockets and resolves when the operating system has them back. */
  async closeAll(): Promise<void> {
    await Promise.all(
      [...this.#sockets].map(
        (socket) =>
          new Promise<void>((resolve) => {
            socket.once('close', () => resolve());
            socket.destroy();
          }),
      ),
    );
  }
}
