/**
 * Runs in a Node of its own: every kind of caller against one dispatcher. Prints one JSON object, `{ caller: result }`,
 * where a result is `ok` or what went wrong.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable, Writable } from 'node:stream';
import * as undici8 from 'undici';
import * as undici7 from 'undici-v7';
import { createDispatcher, createFetch } from '../index.ts';
import { FakeCluster } from './fake-cluster.ts';

const server = createServer((request, response) => {
  if (request.url === '/redirect') {
    response.writeHead(307, { location: '/end' }).end();
    return;
  }
  if (request.url === '/hang') return;
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    response.setHeader('set-cookie', ['a=1', 'b=2']);
    response.end(`${request.method} ${request.url} ${request.headers.host} ${body}`);
  });
});
server.on('upgrade', (request: IncomingMessage, socket) => {
  const key = request.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1')
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  socket.on('error', () => undefined);
  socket.on('data', () => socket.destroy());
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  );
  socket.write(Buffer.from([0x81, 2, 0x68, 0x69]));
});
await new Promise<void>((resolve) => {
  server.listen(0, '127.0.0.1', resolve);
});

const refusing = '127.0.0.1:1';
const cluster = new FakeCluster({
  endpoints: [refusing, `127.0.0.1:${(server.address() as AddressInfo).port}`],
});
// The first endpoint refuses: every kind of caller sees its request retried.
const dispatcher = createDispatcher({
  clusters: [cluster],
  retry: { attempts: 2, budget: { ratio: 1, minPerSecond: 1_000 } },
});

type Fetch = (url: string, init?: object) => Promise<Response>;

function assertEqual(actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`expected ${b}, got ${a}`);
}

/** All of fetch that a dispatcher can get wrong. */
async function checkFetch(call: Fetch, init: object): Promise<void> {
  const got = await call('http://users/v1/me?a=1', init);
  assertEqual(got.headers.getSetCookie(), ['a=1', 'b=2']);
  assertEqual(await got.text(), 'GET /v1/me?a=1 users ');
  const posted = await call('http://users/', { ...init, method: 'POST', body: 'hello' });
  assertEqual(await posted.text(), 'POST / users hello');
  const streamed = await call('http://users/', {
    ...init,
    method: 'POST',
    body: ReadableStream.from([Buffer.from('str'), Buffer.from('eam')]),
    duplex: 'half',
  });
  assertEqual(await streamed.text(), 'POST / users stream');
  const redirected = await call('http://users/redirect', { ...init, method: 'PUT', body: 'again' });
  assertEqual(
    [redirected.url, await redirected.text()],
    ['http://users/end', 'PUT /end users again'],
  );
  const head = await call('http://users/', { ...init, method: 'HEAD' });
  assertEqual([head.status, await head.text()], [200, '']);
  const aborted = call('http://users/hang', { ...init, signal: AbortSignal.timeout(50) });
  assertEqual(await aborted.catch((error: Error) => error.name), 'TimeoutError');
  const unknown = await call('http://nobody/', init).catch(
    (error: { cause?: { code?: string } }) => error,
  );
  assertEqual((unknown as { cause?: { code?: string } }).cause?.code, 'EVENKEEL_UNKNOWN_CLUSTER');
}

async function checkClient(client: typeof undici8): Promise<void> {
  const options = { dispatcher };
  const got = await client.request('http://users/x?a=1', options);
  assertEqual([got.statusCode, await got.body.text()], [200, 'GET /x?a=1 users ']);
  const posted = await client.request('http://users/', {
    ...options,
    method: 'POST',
    body: Readable.from(['a', 'b']),
  });
  assertEqual(await posted.body.text(), 'POST / users ab');
  let text = '';
  await client.stream(
    'http://users/',
    { ...options, method: 'PUT', body: 'x' },
    () =>
      new Writable({
        write: (chunk: Buffer, _encoding, next) => {
          text += chunk.toString();
          next();
        },
      }),
  );
  assertEqual(text, 'PUT / users x');
  const upgraded = await client.upgrade('http://users/', { ...options, protocol: 'websocket' });
  upgraded.socket.destroy();
  const late = client.request('http://users/hang', { ...options, signal: AbortSignal.timeout(50) });
  assertEqual(await late.catch((error: Error) => error.name), 'TimeoutError');
  const redirecting = dispatcher.compose(client.interceptors.redirect({ maxRedirections: 2 }));
  const redirected = await client.request('http://users/redirect', { dispatcher: redirecting });
  assertEqual(await redirected.body.text(), 'GET /end users ');
}

async function checkWebSocket(Implementation: typeof WebSocket): Promise<void> {
  const socket = new Implementation('ws://users/', { dispatcher } as never);
  const message = await new Promise((resolve, reject) => {
    socket.onmessage = ({ data }) => resolve(data);
    socket.onerror = () => reject(new Error('the WebSocket failed'));
  });
  assertEqual(message, 'hi');
  const closed = new Promise((resolve) => {
    socket.onclose = resolve;
  });
  // The server answers with the end of the connection.
  socket.close();
  await closed;
}

async function checkGlobal(client: typeof undici8): Promise<void> {
  const before = client.getGlobalDispatcher();
  client.setGlobalDispatcher(dispatcher);
  try {
    await checkFetch(fetch as Fetch, {});
    await checkFetch(client.fetch as unknown as Fetch, {});
  } finally {
    client.setGlobalDispatcher(before);
  }
}

/** The first endpoint refuses: the callbacks come from a second try, in the context of a socket. */
async function checkContext(): Promise<void> {
  const storage = new AsyncLocalStorage<string>();
  const seen = await storage.run(
    'mine',
    () =>
      new Promise((resolve, reject) => {
        const contexts: unknown[] = [];
        const note = (): void => void contexts.push(storage.getStore());
        dispatcher.dispatch(
          { origin: 'http://users', path: '/', method: 'GET' },
          {
            onRequestStart: note,
            onResponseStart: note,
            onResponseData: note,
            onResponseEnd: () => {
              note();
              resolve(contexts);
            },
            onResponseError: (_controller, error) => reject(error),
          },
        );
      }),
  );
  assertEqual(seen, ['mine', 'mine', 'mine', 'mine']);
}

const older = undici7 as unknown as typeof undici8;
const callers: Record<string, () => Promise<void>> = {
  'built-in fetch': () => checkFetch(fetch as Fetch, { dispatcher }),
  'bound fetch': () => checkFetch(createFetch(dispatcher) as unknown as Fetch, {}),
  'undici 7 fetch': () => checkFetch(older.fetch as unknown as Fetch, { dispatcher }),
  'undici 8 fetch': () => checkFetch(undici8.fetch as unknown as Fetch, { dispatcher }),
  'undici 7 client': () => checkClient(older),
  'undici 8 client': () => checkClient(undici8),
  'undici 7 setGlobalDispatcher': () => checkGlobal(older),
  'undici 8 setGlobalDispatcher': () => checkGlobal(undici8),
  'undici 7 WebSocket': () => checkWebSocket(older.WebSocket as unknown as typeof WebSocket),
  'undici 8 WebSocket': () => checkWebSocket(undici8.WebSocket as unknown as typeof WebSocket),
  'built-in WebSocket': () => checkWebSocket(WebSocket),
  'async context': checkContext,
};

const results: Record<string, string> = {};
for (const [caller, check] of Object.entries(callers)) {
  results[caller] = await check().then(
    () => 'ok',
    (error: Error & { cause?: { message?: string } }) =>
      `${error.message}; ${error.cause?.message ?? ''}`,
  );
}
server.closeAllConnections();
await dispatcher.close();
server.close();
results['left in flight'] = String(cluster.activeCount);
console.log(JSON.stringify(results));
process.exit(0);
