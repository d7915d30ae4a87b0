/** Real HTTP servers that behave well or badly on demand. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export interface TestServer {
  readonly port: number;
  /** `127.0.0.1:port` */
  readonly address: string;
  /** Requests seen so far: method, URL and headers. */
  readonly requests: readonly Pick<IncomingMessage, 'method' | 'url' | 'headers'>[];
  /** Connections open now. */
  readonly connectionCount: number;
  /** Connections that have ended. undici 7 opens a spare one after an abort, so "none is open" is no good question. */
  readonly closedCount: number;
  /** Connections accepted since the start. */
  readonly acceptedCount: number;
  readonly server: Server;
  /** What the server does with requests from now on. */
  handle(listener: RequestListener): void;
  /** Resets every open connection. */
  resetAll(): void;
  /** Stops listening and resets every connection: as if the process had been killed. Idempotent. */
  kill(): Promise<void>;
}

export interface TestServerOptions {
  readonly port?: number;
  readonly unix?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** Answers 200 with the server's name, unless told otherwise. */
export function startServer(
  listener: RequestListener = echo,
  options: TestServerOptions = {},
): Promise<TestServer> {
  let current = listener;
  const requests: Pick<IncomingMessage, 'method' | 'url' | 'headers'>[] = [];
  const sockets = new Set<Socket>();
  let acceptedCount = 0;
  const onRequest: RequestListener = (request, response) => {
    const { method, url, headers } = request;
    requests.push({ method, url, headers } as IncomingMessage);
    current(request, response);
  };
  const server =
    options.tls === undefined
      ? createServer(onRequest)
      : (createTlsServer(options.tls, onRequest) as unknown as Server);
  server.keepAliveTimeout = 0;
  server.on('connection', (socket: Socket) => {
    acceptedCount++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const done = (): void => {
      const address = server.address();
      const port = typeof address === 'string' ? 0 : (address as AddressInfo).port;
      resolve({
        port,
        address: typeof address === 'string' ? `unix:${address}` : `127.0.0.1:${port}`,
        requests,
        server,
        get connectionCount() {
          return sockets.size;
        },
        get closedCount() {
          return acceptedCount - sockets.size;
        },
        get acceptedCount() {
          return acceptedCount;
        },
        handle: (next) => {
          current = next;
        },
        resetAll: () => {
          for (const socket of sockets) socket.resetAndDestroy();
        },
        kill: () =>
          new Promise((stopped) => {
            server.close(() => stopped());
            for (const socket of sockets) socket.destroy();
          }),
      });
    };
    if (options.unix !== undefined) server.listen(options.unix, done);
    else server.listen(options.port ?? 0, '127.0.0.1', done);
  });
}

/** Sends back what arrived: method, URL, headers and body as JSON. */
export function echo(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method, url, headers } = request;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }));
  });
  request.on('error', () => response.destroy());
}

export interface Echoed {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string | undefined>;
  readonly body: string;
}

export const status =
  (code: number, headers: Record<string, string> = {}): RequestListener =>
  (request, response) => {
    request.resume();
    response.writeHead(code, headers);
    response.end(`status ${code}`);
  };

export const text =
  (body: string): RequestListener =>
  (request, response) => {
    request.resume();
    response.end(body);
  };

/** Takes the request and never answers. */
export const hang: RequestListener = (request) => {
  request.resume();
};

/** Resets the connection as soon as the request is there. */
export const reset: RequestListener = (request) => {
  request.socket.resetAndDestroy();
};

/** Sends headers and a part of the body, then resets the connection. */
export const resetMidBody: RequestListener = (request, response) => {
  request.resume();
  response.writeHead(200, { 'content-length': '1000000' });
  response.write('x'.repeat(1_000), () => request.socket.resetAndDestroy());
};
