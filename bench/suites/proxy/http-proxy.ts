/** What Node users have had: http.createServer and http.request with keep-alive agents, round robin. */
import http, { Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';

const ports = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
let turn = 0;

const server = http.createServer((incoming, response) => {
  const port = ports[turn++ % ports.length];
  const { method, url, headers } = incoming;
  const outgoing = request(
    { host: '127.0.0.1', port, method, path: url, headers, agent },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  outgoing.on('error', () => response.destroy());
  incoming.pipe(outgoing);
});

server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('disconnect', () => process.exit());
