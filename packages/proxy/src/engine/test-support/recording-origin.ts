/**
 * An origin that takes down every message exactly as it came, and answers each. It knows just as much of HTTP as what
 * this proxy writes, and anything else is kept as rubbish: no parser that forgives is between a test and the wire.
 */
import net, { type AddressInfo } from 'node:net';
import { once } from 'node:events';

/** What the proxy adds to each request of a client that it does not trust. */
const ADDED = /x-forwarded-for: 127\.0\.0\.1\r\nx-forwarded-proto: http\r\n/;

const HEAD_END = '\r\n\r\n';

export class RecordingOrigin {
  /** Whole requests, without the lines that every one of them gets. */
  readonly requests: string[] = [];
  /** What came of requests whose connection closed before they were whole. */
  readonly fragments: string[] = [];
  port = 0;
  /** The answer to each request. */
  answer = 'HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 2\r\n\r\nok';
  connectionCount = 0;
  readonly #sockets = new Set<net.Socket>();
  readonly #server: net.Server = net.createServer((socket) => this.#serve(socket));

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** @returns what came since the last time, whole or not */
  taken(): { requests: string[]; fragments: string[] } {
    return { requests: this.requests.splice(0), fragments: this.fragments.splice(0) };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: net.Socket): void {
    let held = '';
    this.connectionCount++;
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (held !== '') this.fragments.push(held.replace(ADDED, ''));
    });
    socket.on('data', (bytes: Buffer) => {
      held += bytes.toString('latin1');
      for (let end = endOf(held); end > 0; end = endOf(held)) {
        this.requests.push(held.slice(0, end).replace(ADDED, ''));
        held = held.slice(end);
        socket.write(Buffer.from(this.answer, 'latin1'));
      }
    });
  }
}

/** Where a message ends, or 0 as long as it is not whole. */
function endOf(text: string): number {
  const headEnd = text.indexOf(HEAD_END);
  if (headEnd < 0) return 0;
  const from = headEnd + HEAD_END.length;
  const head = `${text.slice(0, headEnd)}\r\n`;
  const length = /\r\ncontent-length: (\d+)\r\n/.exec(head)?.[1];
  if (length !== undefined) return text.length >= from + Number(length) ? from + Number(length) : 0;
  return head.includes('\r\ntransfer-encoding: chunked\r\n') ? endOfChunks(text, from) : from;
}

function endOfChunks(text: string, from: number): number {
  let at = from;
  for (;;) {
    const size = /^([0-9a-f]+)\r\n/.exec(text.slice(at, at + 16));
    if (size === null) return 0;
    at += size[0].length;
    if (size[1] === '0') {
      const end = text.startsWith('\r\n', at) ? at : text.indexOf(HEAD_END, at) + 2;
      return end >= at && text.startsWith('\r\n', end) ? end + 2 : 0;
    }
    at += Number.parseInt(size[1] as string, 16) + 2;
  }
}
