/**
 * One client of gRPC, on one connection, reaches three servers: each call is balanced by itself. One of the servers is
 * killed, and calls go on; one without a route is refused in gRPC's way.
 *
 * Run: node --conditions=@evenkeel/source examples/grpc-proxy.ts
 */
import * as grpc from '@grpc/grpc-js';
import { createCluster } from '@evenkeel/core';
import { createProxy } from '@evenkeel/proxy';

/** One method; its messages are text. */
const service = {
  greet: {
    path: '/example.Greeter/Greet',
    requestStream: false,
    responseStream: false,
    requestSerialize: (text: string) => Buffer.from(text),
    requestDeserialize: (bytes: Buffer) => bytes.toString(),
    responseSerialize: (text: string) => Buffer.from(text),
    responseDeserialize: (bytes: Buffer) => bytes.toString(),
  },
} satisfies grpc.ServiceDefinition;

const names = ['alder', 'beech', 'cedar'];
const servers = await Promise.all(names.map(startServer));

const greeters = createCluster({
  name: 'greeters',
  policy: 'round-robin',
  discovery: servers.map(({ port }) => `127.0.0.1:${port}`),
});
const proxy = await createProxy({
  clusters: [greeters],
  upstreams: { greeters: { http2: true } },
  listeners: [
    {
      listen: '127.0.0.1:0',
      http: {
        routes: [{ match: { path: { prefix: '/example.Greeter/' } }, cluster: 'greeters' }],
      },
    },
  ],
});
const [address] = proxy.addresses;
const client = new grpc.Client(`127.0.0.1:${address?.port}`, grpc.credentials.createInsecure());

await drive('all is well');
const [alder] = servers;
alder?.server.forceShutdown();
await drive('alder is killed');
const { code, details } = await call('/example.Other/Method');
console.log(`without a route: code ${code}, ${details}`);

const { http2 } = proxy.stats.counters;
console.log(
  `connections: ${http2.sessionCount} of the client, calls over it: ${http2.streamCount}`,
);
if (http2.sessionCount !== 1 || code !== grpc.status.UNIMPLEMENTED) process.exitCode = 1;
client.close();
await proxy.close();
await greeters.close();
for (const { server } of servers) server.forceShutdown();

/** 20 callers, 30 calls each. */
async function drive(title: string): Promise<void> {
  const seen = new Map<string, number>();
  const work = async (): Promise<void> => {
    for (let count = 0; count < 30; count++) {
      const answer = await call(service.greet.path);
      const what = answer.text ?? `failed with ${answer.code}`;
      seen.set(what, (seen.get(what) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 20 }, work));
  const shares = [...seen].map(([what, count]) => `${what} ${count}`).toSorted();
  console.log(`${title}: ${shares.join(', ')}`);
  if (shares.some((share) => share.startsWith('failed'))) process.exitCode = 1;
}

interface Answer {
  readonly code: number;
  readonly details: string;
  readonly text: string | undefined;
}

function call(path: string): Promise<Answer> {
  const { requestSerialize, responseDeserialize } = service.greet;
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, 'hello', (error, text) => {
      resolve({ code: error?.code ?? grpc.status.OK, details: error?.details ?? '', text });
    });
  });
}

async function startServer(name: string): Promise<{ server: grpc.Server; port: number }> {
  const server = new grpc.Server();
  server.addService(service, {
    greet: (_call: grpc.ServerUnaryCall<string, string>, answer: grpc.sendUnaryData<string>) => {
      answer(null, name);
    },
  });
  const credentials = grpc.ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { server, port };
}
