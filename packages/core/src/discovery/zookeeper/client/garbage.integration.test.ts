/** Connections to a server that answers at random: each ends with an error of ours, and nothing else happens. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isEvenkeelError } from '../../../error/evenkeel-error.ts';
import { createRuntime } from '../../../runtime/runtime.ts';
import { Connection } from './connection.ts';

/** A good answer to the handshake. */
const WELCOME = Buffer.alloc(41);
WELCOME.writeInt32BE(37, 0);
WELCOME.writeInt32BE(10_000, 8);
WELCOME.writeInt32BE(16, 20);

describe('a server that answers at random', () => {
  let server: Server;
  let answer: Buffer = Buffer.alloc(0);
  let isWelcoming = true;
  const sockets = new Set<Socket>();

  beforeAll(async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
      socket.once('data', () => {
        socket.write(isWelcoming ? WELCOME : answer);
        socket.once('data', () => socket.write(answer, () => socket.end()));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });

  const talk = async (): Promise<unknown> => {
    const { port } = server.address() as AddressInfo;
    try {
      const connection = await Connection.open(
        {
          server: { host: '127.0.0.1', port },
          ...{ sessionTimeoutMs: 3_000, connectTimeoutMs: 50, timeoutMs: 50 },
          ...{ digest: undefined, readOnly: true, resume: undefined, runtime: createRuntime() },
        },
        new AbortController().signal,
      );
      const results = await Promise.allSettled([
        connection.children('/a', () => undefined),
        connection.data('/a/b', () => undefined),
        connection.exists('/c', () => undefined),
      ]);
      connection.cut();
      return results.find(({ status }) => status === 'rejected');
    } catch (error) {
      return { reason: error };
    }
  };

  /** Frames whose header looks right as often as chance makes it. */
  const number = fc.oneof(fc.constantFrom(0, 1, -1, -2, -4, -118, 3, 2 ** 31 - 1), fc.integer());
  const frame = fc.array(number, { maxLength: 14 }).map((numbers) => {
    const bytes = Buffer.alloc(4 + numbers.length * 4);
    bytes.writeInt32BE(numbers.length * 4, 0);
    for (const [index, value] of numbers.entries()) bytes.writeInt32BE(value, 4 + index * 4);
    return bytes;
  });
  const stream = fc.oneof(
    fc.array(frame, { minLength: 1, maxLength: 4 }).map((frames) => Buffer.concat(frames)),
    fc.uint8Array({ minLength: 1, maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
  );

  it.each([true, false])('after a good handshake: %s', async (welcoming) => {
    isWelcoming = welcoming;
    await fc.assert(
      fc.asyncProperty(stream, async (bytes) => {
        answer = bytes;
        const { reason } = (await talk()) as { reason: unknown };
        expect(isEvenkeelError(reason)).toBe(true);
      }),
      { seed: 31, numRuns: 120 },
    );
  });
});
