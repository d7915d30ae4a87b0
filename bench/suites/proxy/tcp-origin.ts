/**
 * An origin for bytes: eight of them ask for that many back (an unsigned integer in little endian), over and over on one
 * connection. What is sent is always the same memory.
 */
import net, { type AddressInfo } from 'node:net';

const PIECE = Buffer.alloc(262_144, 'x');
const ASK_BYTES = 8;

const server = net.createServer({ noDelay: true }, (socket) => {
  let left = 0;
  let held: Buffer = Buffer.alloc(0);
  const send = (): void => {
    for (;;) {
      if (left === 0) {
        if (held.length < ASK_BYTES) return;
        left = Number(held.readBigUInt64LE(0));
        held = held.subarray(ASK_BYTES);
      }
      const count = Math.min(left, PIECE.length);
      left -= count;
      if (!socket.write(PIECE.subarray(0, count))) return;
    }
  };
  socket.on('data', (bytes: Buffer) => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    if (!socket.writableNeedDrain) send();
  });
  socket.on('drain', send);
  socket.on('error', () => socket.destroy());
});

server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('disconnect', () => process.exit());
