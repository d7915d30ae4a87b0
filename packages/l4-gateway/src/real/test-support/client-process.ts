/**
 * A client in a namespace of its own, a connection for each request: `names COUNT` prints who answered, `peer` what the
 * server took the client for, `download BYTES` and `upload BYTES` the SHA-256 of what arrived, `udp BYTES` who answered a
 * datagram that came back whole.
 */
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { request } from 'node:http';
import { isIPv6 } from 'node:net';

const [host, port, what, count] = process.argv.slice(2) as [string, string, string, string];

function ask(path: string, body?: Buffer): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const method = body === undefined ? 'GET' : 'POST';
  const outgoing = request(
    { host, port, path, method, agent: false, timeout: 5_000 },
    (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks)));
    },
  );
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 5 s')));
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

async function datagram(bytes: number): Promise<string> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  const sent = Buffer.alloc(bytes, 'evenkeel');
  socket.connect(Number(port), host);
  await once(socket, 'connect');
  socket.send(sent);
  const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(5_000) })) as [
    Buffer,
  ];
  socket.close();
  const [name = ''] = answer.toString('latin1').split(' ');
  if (!answer.subarray(name.length + 1).equals(sent)) throw new Error('the datagram was changed');
  return name;
}

switch (what) {
  case 'names':
    for (let turn = 0; turn < Number(count); turn += 1) {
      console.log(String(await ask('/')).split(' ')[0]);
    }
    break;
  case 'peer':
    console.log(String(await ask('/')).split(' ')[1]);
    break;
  case 'download': {
    const body = await ask(`/bytes/${count}`);
    console.log(createHash('sha256').update(body).digest('hex'));
    break;
  }
  case 'udp':
    console.log(await datagram(Number(count)));
    break;
  default:
    console.log(String(await ask('/', Buffer.alloc(Number(count), 'evenkeel'))));
}
