import { timingSafeEqual } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { EvenkeelError, type Logger } from '@evenkeel/core';
import { LISTEN } from '../config/gateway-schema.ts';
import type { AdminOptions } from '../config/gateway-options.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { answer, type Scrape } from './answers.ts';
import { streamTrace } from './trace-stream.ts';

/** Where the sockets of gateways are, for the commands of the same machine. */
export const SOCKET_FOLDER = '/run/evenkeel';

export function socketPath(name: string): string {
  return join(SOCKET_FOLDER, `${name}.sock`);
}

export interface AdminServerOptions {
  readonly gateway: Gateway;
  readonly scrape: Scrape;
  readonly logger: Logger;
  /** Besides the socket. */
  readonly admin: AdminOptions | undefined;
}

/** The HTTP server of a gateway: on a socket that only its own user may use, and where the configuration says. */
export class AdminServer {
  readonly #servers: readonly Server[];
  readonly #socket: string;

  /** @throws EvenkeelError when an address cannot be listened on */
  static async start(options: AdminServerOptions): Promise<AdminServer> {
    const { gateway, admin } = options;
    const path = socketPath(gateway.config.name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    // Left by a process that is gone: the pins say that nobody else has this name.
    rmSync(path, { force: true });
    const started: Server[] = [];
    try {
      const local = serverFor(options, { isLocal: true });
      // Its owner's alone from the first moment on.
      const mask = process.umask(0o177);
      const listening = listen(local, { path });
      process.umask(mask);
      await listening;
      started.push(local);
      if (admin !== undefined) {
        const server = serverFor(options, { isLocal: false, token: admin.token });
        const [, host = '', port = ''] = LISTEN.exec(admin.listen) ?? [];
        await listen(server, { host: host.replace(/^\[|\]$/gu, ''), port: Number(port) });
        started.push(server);
      }
      return new AdminServer(started, path);
    } catch (error) {
      for (const server of started) server.close();
      throw error;
    }
  }

  constructor(servers: readonly Server[], socket: string) {
    this.#servers = servers;
    this.#socket = socket;
  }

  /** Port of the configured address; undefined when none is configured. */
  get port(): number | undefined {
    return (this.#servers[1]?.address() as AddressInfo | undefined)?.port;
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#servers.map((server) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        server.close(() => resolve());
        server.closeAllConnections();
        return promise;
      }),
    );
    if (existsSync(this.#socket)) rmSync(this.#socket, { force: true });
  }
}

interface Access {
  readonly isLocal: boolean;
  readonly token?: string | undefined;
}

function serverFor(options: AdminServerOptions, { isLocal, token }: Access): Server {
  const { gateway, scrape, logger } = options;
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end('GET or HEAD\n');
      return;
    }
    if (!isAllowed(request, token)) {
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('a token is needed\n');
      return;
    }
    const url = new URL(request.url ?? '/', 'http://gateway');
    // Packets are what users send: they are shown on this machine only.
    if (isLocal && url.pathname === '/trace') {
      streamTrace(gateway, url.searchParams, response);
      return;
    }
    const { status, type, body } = await answer(gateway, url, scrape);
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  return createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    respond(request, response).catch((error: unknown) => {
      logger.error({ error: (error as Error).message, url: request.url }, 'admin request failed');
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
}

/** Compared in a time that does not tell how much of a guess is right. */
function isAllowed({ headers }: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return true;
  const given = Buffer.from(headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

type Place = { readonly path: string } | { readonly host: string; readonly port: number };

function listen(server: Server, place: Place): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (cause) => {
    const where = 'path' in place ? place.path : `${place.host}:${place.port}`;
    reject(
      new EvenkeelError('EVENKEEL_CONFIG', `admin: cannot listen on ${where}: ${cause.message}`, {
        cause,
      }),
    );
  });
  server.listen(place, () => resolve());
  return promise;
}
