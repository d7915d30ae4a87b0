/**
 * What a real runs, on all its addresses of both families: a web server on port 80 (`/` says nothing, `/bytes/N/SEED`
 * sends content, a POST is answered with its hash; the header `x-real` says who it is), an echo over TCP on port 7 that
 * says who it is first, and an echo over UDP on port 7 that puts its name in front. Says `ready` when all of it listens.
 *
 * First argument: the real's name.
 */
import { createSocket } from 'node:dgram';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createWeb } from 'node:http';
import { createServer, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { content } from './content.ts';

const [name = ''] = process.argv.slice(2);

const web = createWeb((request, response) => {
  response.setHeader('x-real', name);
  if (request.method === 'POST') {
    const hash = createHash('sha256');
    request.on('data', (chunk: Buffer) => hash.update(chunk));
    request.on('end', () => response.end(hash.digest('hex')));
    return;
  }
  const [, , bytes = '0', seed = ''] = (request.url ?? '').split('/');
  response.end(content(Number(bytes), seed));
});
const echo = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.setNoDelay(true);
  socket.write(`${name}\n`);
  socket.pipe(socket);
});
web.listen(80, '::');
echo.listen(7, '::');
await Promise.all([once(web, 'listening'), once(echo, 'listening')]);

/** An answer has to come from the address that was asked, which a socket for all addresses does not see to. */
async function echoDatagrams(address: string): Promise<void> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.on('message', (message, from) => {
    socket.send(Buffer.concat([Buffer.from(`${name} `), message]), from.port, from.address);
  });
  socket.bind(7, address);
  await once(socket, 'listening');
}

const { lo = [], eth0 = [] } = networkInterfaces();
const addresses = [...lo, ...eth0]
  .map(({ address }) => address)
  .filter((address) => !/^(127\.|::1$|fe80:)/u.test(address));
await Promise.all(addresses.map(echoDatagrams));
process.stdout.write('ready\n');
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
