/**
 * Can accepted sockets be read through a buffer of ours? Node documents `onread` for outgoing connections only; for
 * accepted ones it takes an option that is not documented, so it is tried out before it is relied on: a byte each way,
 * both ends, over the loopback interface.
 */
import net, { type AddressInfo } from 'node:net';
import type { StreamOwner } from './byte-stream.ts';
import { acceptStream, type SocketStream } from './socket-stream.ts';

/** Longest time for the attempt: it takes about a millisecond. */
const LIMIT_MS = 2_000;

let result: Promise<boolean> | undefined = undefined;

/** Tried once per process. */
export function canRebuildSockets(): Promise<boolean> {
  result ??= probe().catch(() => false);
  return result;
}

function probe(): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
    const peer = new net.Socket();
    const seen: string[] = [];
    let stream: SocketStream | undefined = undefined;
    const settle = (works: boolean): void => {
      peer.destroy();
      stream?.destroy();
      server.close();
      peer.setTimeout(0);
      resolve(works);
    };
    // Which of the two ends is heard of first is a matter of chance.
    let isGone = false;
    const conclude = (): void => {
      if (isGone && seen.includes('closed')) settle(seen.join() === 'ping,end,pong,closed');
    };
    const owner: StreamOwner = {
      onBytes: (bytes, from, to) => {
        seen.push(bytes.toString('latin1', from, to));
        stream?.write(Buffer.from('pong'));
      },
      onEnd: () => {
        seen.push('end');
        stream?.end();
      },
      onDrain: () => undefined,
      onConnect: () => undefined,
      onClose: () => {
        isGone = true;
        conclude();
      },
    };
    server.on('error', () => settle(false));
    peer.on('error', () => settle(false));
    peer.setTimeout(LIMIT_MS, () => settle(false));
    server.on('connection', (socket) => {
      stream = acceptStream(socket, owner, true);
    });
    peer.on('data', (bytes: Buffer) => seen.push(bytes.toString('latin1')));
    peer.on('end', () => {
      seen.push('closed');
      conclude();
    });
    server.listen(0, '127.0.0.1', () => {
      peer.connect((server.address() as AddressInfo).port, '127.0.0.1', () => peer.end('ping'));
    });
  });
}
