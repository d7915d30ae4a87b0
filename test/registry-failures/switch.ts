import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP connection to a server on loopback that can be interrupted: cut, and refused until it is on again. */
export class Switch {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isOn = true;

  private constructor(targetPort: number) {
    this.#server = createServer((incoming) => {
      if (!this.#isOn) {
        incoming.destroy();
        return;
      }
      const outgoing = connect(targetPort, '127.0.0.1');
      for (const [socket, other] of [
        [incoming, outgoing],
        [outgoing, incoming],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
  }

  static async start(targetPort: number): Promise<Switch> {
    const created = new Switch(targetPort);
    created.#server.listen(0, '127.0.0.1');
    await once(created.#server, 'listening');
    return created;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  off(): void {
    this.#isOn = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  on(): void {
    this.#isOn = true;
  }

  async close(): Promise<void> {
    this.off();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
