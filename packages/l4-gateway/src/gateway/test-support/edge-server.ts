/**
 * What a real runs, on all its addresses: a web server on port 80 as in `web-process.ts` of the forwarder's tests, an
 * echo over TCP on port 7 that first says who it is, and an echo over UDP on port 7 of the VIPs that puts its name in
 * front. Says `ready` when all of it listens.
 */
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createWeb } from 'node:http';
import { createServer } from 'node:net';

const [name, ...vips] = process.argv.slice(2) as [string, ...string[]];

const web = createWeb((request, response) => {
  if (request.method === 'POST') {
    const hash = createHash('sha256');
    request.on('data', (chunk: Buffer) => hash.update(chunk));
    request.on('end', () => response.end(hash.digest('hex')));
    return;
  }
  const count = /^\/bytes\/(\d+)$/u.exec(request.url ?? '')?.[1];
  response.end(count === undefined ? name : Buffer.alloc(Number(count), 'evenkeel'));
});
const echo = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.write(`${name}\n`);
  socket.pipe(socket);
});
web.listen(80, '0.0.0.0');
echo.listen(7, '0.0.0.0');
await Promise.all([once(web, 'listening'), once(echo, 'listening')]);
for (const vip of vips) {
  const datagrams = createSocket('udp4');
  datagrams.on('message', (message, from) => {
    datagrams.send(Buffer.concat([Buffer.from(`${name} `), message]), from.port, from.address);
  });
  datagrams.bind(7, vip);
  await once(datagrams, 'listening');
}
process.stdout.write('ready\n');
