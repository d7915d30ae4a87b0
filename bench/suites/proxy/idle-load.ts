/** Opens connections, makes one request on each, and keeps them: `idle-load.ts <port> <connections>`. */
import { once } from 'node:events';
import { connect } from 'node:net';

const [port = '0', connections = '0'] = process.argv.slice(2);

/** Under way at a time. */
const WIDTH = 64;

async function open(): Promise<void> {
  const socket = connect(Number(port), '127.0.0.1');
  socket.write('GET /s/100 HTTP/1.1\r\nhost: localhost\r\n\r\n');
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  if (!bytes.toString('latin1').startsWith('HTTP/1.1 200'))
    throw new Error(`not answered with 200: ${bytes.toString('latin1', 0, 40)}`);
  socket.on('close', () => {
    process.stdout.write('closed\n');
    process.exit(1);
  });
}

let left = Number(connections);
await Promise.all(
  Array.from({ length: WIDTH }, async () => {
    while (left-- > 0) await open();
  }),
);
process.stdout.write('ready\n');
