import net, { type AddressInfo } from 'node:net';
import { once } from 'node:events';

/** What came in over one connection, and what to do with it. */
export interface OriginConnection {
  readonly socket: net.Socket;
  readonly index: number;
  received: string;
  write(text: string): void;
}

export interface ScriptedOrigin {
  readonly port: number;
  readonly connections: readonly OriginConnection[];
  close(): Promise<void>;
}

/** A server that does what a test says with each piece of bytes: no HTTP of its own. */
export async function scriptedOrigin(
  onData: (connection: OriginConnection) => void,
  onConnect: (connection: OriginConnection) => void = () => undefined,
): Promise<ScriptedOrigin> {
  const connections: OriginConnection[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const connection: OriginConnection = {
      socket,
      index: connections.length,
      received: '',
      write: (text) => void socket.write(Buffer.from(text, 'latin1')),
    };
    connections.push(connection);
    socket.on('data', (bytes: Buffer) => {
      connection.received += bytes.toString('latin1');
      onData(connection);
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => undefined);
    onConnect(connection);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    close: async () => {
      for (const { socket } of connections) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers each whole request head with the same text. */
export function answering(text: string): (connection: OriginConnection) => void {
  return (connection) => {
    while (connection.received.includes('\r\n\r\n')) {
      connection.received = connection.received.slice(connection.received.indexOf('\r\n\r\n') + 4);
      connection.write(text);
    }
  };
}

export const OK = 'HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 2\r\n\r\nok';
