/** Asks an origin for bytes over some connections for some seconds, then tells how many answers were whole. */
import net from 'node:net';

const [port, connections, size, seconds] = process.argv.slice(2).map(Number) as [
  number,
  number,
  number,
  number,
];
const ask = Buffer.alloc(8);
ask.writeBigUInt64LE(BigInt(size));

let answerCount = 0;
let isOver = false;
let openCount = connections;

for (let index = 0; index < connections; index++) {
  let left = size;
  const socket = net.connect({
    port,
    host: '127.0.0.1',
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafeSlow(262_144),
      callback: (count) => {
        left -= count;
        if (left > 0) return true;
        answerCount++;
        left = size;
        if (isOver) socket.end();
        else socket.write(ask);
        return true;
      },
    },
  });
  socket.write(ask);
  socket.on('error', (error) => {
    throw error;
  });
  socket.on('close', () => {
    if (--openCount === 0) process.stdout.write(`${answerCount}\n`);
  });
}
setTimeout(() => (isOver = true), seconds * 1_000);
