/** Real servers and single checks against them. */
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect } from 'vitest';
import { createEndpoint, type Endpoint, type EndpointFields } from '../../../model/endpoint.ts';
import { createRuntime } from '../../../runtime/runtime.ts';
import type { CheckFactory, CheckResult } from '../check.ts';
import { createHttpChecks } from '../http-check.ts';
import { type HttpCheckOptions, httpCheckSchema } from '../http-config.ts';
import { OpenSockets } from '../open-sockets.ts';
import { createTcpChecks } from '../tcp-check.ts';
import { type TcpCheckOptions, tcpCheckSchema } from '../tcp-config.ts';
import type { SelfSigned } from './self-signed.ts';

export interface TestServer {
  readonly port: number;
  /** `127.0.0.1` and the port, or what else is given. */
  endpoint(fields?: EndpointFields): Endpoint;
  /** Connections open at this moment, as the server sees it. */
  readonly openCount: number;
  /** Connections accepted so far. */
  readonly acceptedCount: number;
  /** Resolves when the server has no connection any more. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Listens on loopback, or on a Unix socket. */
export async function listen(server: Server, socketPath?: string): Promise<TestServer> {
  const sockets = new Set<Socket>();
  let acceptedCount = 0;
  let onIdle: (() => void)[] = [];
  server.on('connection', (socket: Socket) => {
    acceptedCount++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      if (sockets.size > 0) return;
      for (const resolve of onIdle) resolve();
      onIdle = [];
    });
  });
  await new Promise<void>((resolve) => {
    if (socketPath === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(socketPath, resolve);
  });
  const port = socketPath === undefined ? (server.address() as AddressInfo).port : 0;
  return {
    port,
    endpoint: (fields = {}) =>
      createEndpoint(
        socketPath === undefined
          ? { host: '127.0.0.1', port, ...fields }
          : { unix: socketPath, ...fields },
      ),
    get openCount() {
      return sockets.size;
    },
    get acceptedCount() {
      return acceptedCount;
    },
    idle: () =>
      new Promise((resolve) => {
        if (sockets.size === 0) resolve();
        else onIdle.push(resolve);
      }),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

export const listenHttp = (handler: RequestListener, socketPath?: string): Promise<TestServer> =>
  listen(createHttpServer(handler), socketPath);

export const listenHttps = (pair: SelfSigned, handler: RequestListener): Promise<TestServer> =>
  listen(createHttpsServer(pair, handler));

/** Reads what comes, even if nobody looks at it: a paused socket would never see the other side close. */
export const listenTcp = (onConnection: (socket: Socket) => void): Promise<TestServer> =>
  listen(
    createTcpServer((socket) => {
      onConnection(socket);
      socket.resume();
    }),
  );

/** A TCP server that says these bytes as soon as it hears anything. */
export const listenRaw = (answer: string): Promise<TestServer> =>
  listenTcp((socket) => socket.once('data', () => socket.write(answer)));

export const listenTls = (
  pair: SelfSigned,
  onConnection: (socket: Socket) => void,
): Promise<TestServer> => {
  const server = createTlsServer(pair, onConnection);
  server.on('tlsClientError', () => undefined);
  return listen(server);
};

/** A port on which nobody listens: it was just given back. */
export async function closedPort(): Promise<number> {
  const server = await listenTcp(() => undefined);
  await server.close();
  return server.port;
}

export interface CheckBench {
  readonly sockets: OpenSockets;
  readonly create: CheckFactory;
  /** Checks once. */
  run(endpoint: Endpoint, signal?: AbortSignal): Promise<CheckResult>;
}

/** HTTP checks with these options. The timeout is long unless given: only tests of timeouts should meet it. */
export function httpBench(options: HttpCheckOptions = {}): CheckBench {
  const sockets = new OpenSockets();
  const config = httpCheckSchema.parse({ timeoutMs: 10_000, ...options });
  return benchOf(createHttpChecks(config, { runtime: createRuntime(), sockets }), sockets);
}

/** TCP checks with these options. */
export function tcpBench(options: TcpCheckOptions = {}): CheckBench {
  const sockets = new OpenSockets();
  const config = tcpCheckSchema.parse({ timeoutMs: 10_000, ...options });
  return benchOf(createTcpChecks(config, { runtime: createRuntime(), sockets }), sockets);
}

function benchOf(create: CheckFactory, sockets: OpenSockets): CheckBench {
  return {
    sockets,
    create,
    run: async (endpoint, signal = new AbortController().signal) => {
      const check = create(endpoint);
      try {
        return await check.run(signal);
      } finally {
        check.close();
      }
    },
  };
}

/** Waits until what is read matches; generous, because the machine may be busy. */
export const eventually = <T>(read: () => T): ReturnType<typeof expect.poll<T>> =>
  // oxlint-disable-next-line vitest/require-awaited-expect-poll -- whoever calls this awaits it
  expect.poll(read, { timeout: 20_000, interval: 10 });
