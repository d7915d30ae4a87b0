import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import type net from 'node:net';
import type { AddressInfo } from 'node:net';

export type OnStream = (
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
) => void;

/** A server, and what came to it. */
export class Endpoint {
  readonly server: http2.Http2Server | net.Server;
  readonly sessions = new Set<http2.ServerHttp2Session>();
  sessionCount = 0;
  streamCount = 0;

  constructor(server: http2.Http2Server | net.Server) {
    this.server = server;
    server.on('session', (session: http2.ServerHttp2Session) => {
      this.sessionCount++;
      this.sessions.add(session);
      session.on('error', () => undefined);
      session.on('close', () => this.sessions.delete(session));
    });
    server.on('stream', (stream: http2.ServerHttp2Stream) => {
      this.streamCount++;
      stream.on('error', () => undefined);
    });
  }

  async listen(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    for (const session of this.sessions) session.destroy();
    this.server.close();
  }
}

/** All that listen; closed by {@link closeEndpoints}. */
const listening: Endpoint[] = [];

export async function listen(server: http2.Http2Server | net.Server): Promise<Endpoint> {
  const endpoint = await new Endpoint(server).listen();
  listening.push(endpoint);
  return endpoint;
}

/** An endpoint in clear text. */
export function endpointOf(
  onStream: OnStream,
  settings: http2.ServerOptions = {},
): Promise<Endpoint> {
  const server = http2.createServer(settings);
  server.on('stream', onStream);
  return listen(server);
}

export function closeEndpoints(): void {
  for (const endpoint of listening.splice(0)) endpoint.close();
}

export interface Response1 {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
  readonly body: Buffer;
}

/** A request of HTTP/1.1. */
export function ask(
  port: number,
  options: http.RequestOptions = {},
  body: Buffer | string = '',
): Promise<Response1> {
  return new Promise((resolve, reject) => {
    const request = http.request({ port, host: '127.0.0.1', agent: false, ...options });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0, headers, trailers } = response;
        resolve({ status: statusCode, headers, trailers, body: Buffer.concat(chunks) });
      });
    });
    request.end(body);
  });
}
