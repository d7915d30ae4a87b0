/**
 * An origin that costs next to nothing: it looks for the end of each request head and answers with bytes made before.
 * The size of the body is in the path: `/s/1024`.
 */
import net, { type AddressInfo } from 'node:net';

const END = Buffer.from('\r\n\r\n');
const answers = new Map<number, Buffer>();

function answerOf(size: number): Buffer {
  let answer = answers.get(size);
  if (answer === undefined) {
    const head =
      'HTTP/1.1 200 OK\r\ndate: Sat, 21 Nov 2026 06:00:00 GMT\r\ncontent-type: text/plain\r\n' +
      `server: origin\r\ncontent-length: ${size}\r\n\r\n`;
    answer = Buffer.concat([Buffer.from(head), Buffer.alloc(size, 'x')]);
    answers.set(size, answer);
  }
  return answer;
}

function sizeOf(head: Buffer): number {
  const match = /^\S+ \/s\/(\d+)/.exec(head.toString('latin1', 0, 40));
  return Number(match?.[1] ?? 2);
}

const server = net.createServer({ noDelay: true }, (socket) => {
  let held: Buffer = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    for (let end = held.indexOf(END); end >= 0; end = held.indexOf(END)) {
      socket.write(answerOf(sizeOf(held)));
      held = held.subarray(end + END.length);
    }
  });
  socket.on('error', () => socket.destroy());
});

server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('disconnect', () => process.exit());
