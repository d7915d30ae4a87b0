import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket as TcpSocket } from 'node:net';
import { readQuery, u16, type WireMessage, writeMessage } from './dns-wire.ts';
import { freePort } from './name-servers.ts';

/** A query as it arrived, with what it takes to answer it well or badly. */
export interface ReceivedQuery {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  /** An answer to this query with the right id and question, unless the message says otherwise. */
  answer(message: WireMessage): Buffer;
}

export interface HostileBehaviour {
  readonly udp?: (
    query: ReceivedQuery,
    reply: (bytes: Uint8Array) => void,
    from: RemoteInfo,
  ) => void;
  readonly tcp?: (query: ReceivedQuery, socket: TcpSocket) => void;
}

/** A name server that does what a test says, on one loopback port for UDP and TCP. */
export class HostileServer {
  readonly address: string;
  udpCount = 0;
  tcpCount = 0;
  readonly #udp: Socket;
  readonly #tcp: Server;
  readonly #connections = new Set<TcpSocket>();

  private constructor(udp: Socket, tcp: Server, port: number) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.address = `127.0.0.1:${port}`;
  }

  static async start(behaviour: HostileBehaviour): Promise<HostileServer> {
    const port = await freePort();
    const udp = createSocket('udp4');
    const tcp = createServer();
    const server = new HostileServer(udp, tcp, port);
    udp.on('message', (bytes, from) => {
      server.udpCount += 1;
      behaviour.udp?.(received(bytes), (reply) => udp.send(reply, from.port, from.address), from);
    });
    tcp.on('connection', (socket) => {
      server.tcpCount += 1;
      server.#connections.add(socket);
      socket.on('error', () => undefined);
      socket.once('data', (bytes) =>
        behaviour.tcp?.(received((bytes as Buffer).subarray(2)), socket),
      );
    });
    udp.bind(port, '127.0.0.1');
    tcp.listen(port, '127.0.0.1');
    await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
    return server;
  }

  async close(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    const closed = once(this.#tcp, 'close');
    this.#tcp.close();
    this.#udp.close();
    await closed;
  }
}

/** Puts the length before a message, as TCP wants it. */
export function framed(message: Uint8Array): Buffer {
  return Buffer.concat([u16(message.length), message]);
}

function received(bytes: Uint8Array): ReceivedQuery {
  const { id, name, type } = readQuery(bytes);
  return {
    id,
    name,
    type,
    answer: (message) => writeMessage({ id, question: { name, type }, ...message }),
  };
}
