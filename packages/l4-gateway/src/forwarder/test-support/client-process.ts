/**
 * A client in a namespace of its own, one connection for each request: `names COUNT` prints who answered,
 * `download BYTES` and `upload BYTES` the SHA-256 of what arrived.
 */
import { createHash } from 'node:crypto';
import { request } from 'node:http';

const [vip, what, count] = process.argv.slice(2) as [string, string, string];

function ask(path: string, body?: Buffer): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const method = body === undefined ? 'GET' : 'POST';
  const outgoing = request(
    { host: vip, path, method, agent: false, timeout: 5_000 },
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

switch (what) {
  case 'names':
    for (let turn = 0; turn < Number(count); turn += 1) console.log(String(await ask('/')));
    break;
  case 'download':
    console.log(
      createHash('sha256')
        .update(await ask(`/bytes/${count}`))
        .digest('hex'),
    );
    break;
  default:
    console.log(String(await ask('/', Buffer.alloc(Number(count), 'evenkeel'))));
}
