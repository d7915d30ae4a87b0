/** A web server on the VIP: `/` says who it is, `/bytes/N` sends N bytes, a POST is answered with its hash. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const [address, name] = process.argv.slice(2) as [string, string];
const server = createServer((request, response) => {
  if (request.method === 'POST') {
    const hash = createHash('sha256');
    request.on('data', (chunk: Buffer) => hash.update(chunk));
    request.on('end', () => response.end(hash.digest('hex')));
    return;
  }
  const count = /^\/bytes\/(\d+)$/u.exec(request.url ?? '')?.[1];
  response.end(count === undefined ? name : Buffer.alloc(Number(count), 'evenkeel'));
});
server.listen(80, address, () => process.stdout.write('ready\n'));
process.stdin.resume();
process.stdin.on('end', () => {
  server.close();
  server.closeAllConnections();
});
