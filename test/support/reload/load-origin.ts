/** A server of one cluster, as small as it can be: the load is for the proxy. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { answerBody } from './message.ts';

export class LoadOrigin {
  readonly #server: net.Server;

  private constructor(server: net.Server) {
    this.#server = server;
  }

  static async start(cluster: string): Promise<LoadOrigin> {
    const server = net.createServer({ noDelay: true }, (socket) => serve(socket, cluster));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new LoadOrigin(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Accepts nobody any more. @returns once the proxy has closed all its connections */
  async leave(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function serve(socket: net.Socket, cluster: string): void {
  let held = '';
  socket.on('error', () => undefined);
  socket.on('data', (bytes: Buffer) => {
    held += bytes.toString('latin1');
    for (;;) {
      const end = held.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = held.slice(0, end);
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      const from = end + 4;
      if (held.length < from + length) return;
      held = held.slice(from + length);
      const id = Number(/^\S+ \/\w+\/(\d+) /.exec(head)?.[1]);
      socket.write(responseOf(answerBody(cluster, { id, length }), id), 'latin1');
    }
  });
}

/** Half of them in chunks. */
function responseOf(body: string, id: number): string {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n';
  if (id % 2 === 0) return `${head}content-length: ${body.length}\r\n\r\n${body}`;
  const half = body.length >> 1;
  const parts = [body.slice(0, half), body.slice(half)].filter((part) => part !== '');
  const chunks = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('');
  return `${head}transfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`;
}
