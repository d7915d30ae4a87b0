/**
 * TCP and UDP on one address: over HTTP, `/` says who it is and whom it talks to, `/bytes/N` sends N bytes, a POST is
 * answered with its hash; a datagram comes back with the name in front.
 */
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { isIPv6 } from 'node:net';

const [address, port, name] = process.argv.slice(2) as [string, string, string];
const server = createServer((request, response) => {
  if (request.method === 'POST') {
    const hash = createHash('sha256');
    request.on('data', (chunk: Buffer) => hash.update(chunk));
    request.on('end', () => response.end(hash.digest('hex')));
    return;
  }
  const count = /^\/bytes\/(\d+)$/u.exec(request.url ?? '')?.[1];
  response.end(
    count === undefined
      ? `${name} ${request.socket.remoteAddress ?? ''}`
      : Buffer.alloc(Number(count), 'evenkeel'),
  );
});
server.listen(Number(port), address);
const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
socket.on('message', (message, from) =>
  socket.send(Buffer.concat([Buffer.from(`${name} `), message]), from.port, from.address),
);
socket.bind(Number(port), address);
await Promise.all([once(server, 'listening'), once(socket, 'listening')]);
process.stdout.write('ready\n');
process.stdin.resume();
process.stdin.on('end', () => {
  server.close();
  server.closeAllConnections();
  socket.close();
});
