/** The admin address of a proxy: an HTTP API and a page in the browser. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError, type Logger } from '@evenkeel/core';
import type { ProxyFile } from '../proxy/file/face.ts';
import type { Proxy } from '../proxy/face.ts';
import { Api, type ApiAnswer, failure, type Scrape } from './api.ts';
import { ASSETS } from './dashboard/assets.ts';
import { Guard } from './guard.ts';
import { type AdminListenOptions, decodeAdminOptions } from '../config/admin-options.ts';

export interface AdminOptions extends AdminListenOptions {
  readonly proxy: Proxy;
  /** Where the options of the proxy stand: its state is shown, and it can be read anew. */
  readonly file?: ProxyFile | undefined;
  /** What `/metrics` answers: `async () => ({ contentType: registry.contentType, text: await registry.metrics() })`. */
  readonly metrics?: (() => Promise<Scrape>) | undefined;
  /** Hears of changes. Its level can be changed if it has one, as those of pino have. */
  readonly logger?: (Logger & { level?: string }) | undefined;
}

export interface Admin {
  readonly address: { readonly host: string; readonly port: number };
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts the admin address. It belongs to the same process as the proxy and is never one of its listeners: what is wrong
 * with those does not take it away.
 *
 * @throws ConfigError for wrong options, or an address that cannot be listened on
 */
export async function createAdmin(options: AdminOptions): Promise<Admin> {
  const { proxy, file, metrics, logger, listen, token } = options;
  const config = decodeAdminOptions({ listen, token }, 'admin');
  const api = new Api({ proxy, file, metrics, logger });
  const server = new AdminServer(api, new Guard(config.token), logger);
  await server.listen(config);
  return server;
}

/** Bodies of requests: a few options. */
const MAX_BODY_BYTES = 65_536;

/** The page is self-contained: nothing is loaded from anywhere, and no other page may show it in a frame. */
const HEADERS: OutgoingHttpHeaders = Object.freeze({
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
});

class AdminServer implements Admin {
  readonly #api: Api;
  readonly #guard: Guard;
  readonly #logger: Logger | undefined;
  readonly #server: Server;
  #address = { host: '', port: 0 };
  #closing: Promise<void> | undefined = undefined;

  constructor(api: Api, guard: Guard, logger: Logger | undefined) {
    this.#api = api;
    this.#guard = guard;
    this.#logger = logger;
    this.#server = createServer(
      { requestTimeout: 10_000, headersTimeout: 5_000, keepAliveTimeout: 15_000 },
      (request, response) => {
        this.#serve(request, response).catch((error: unknown) => this.#broken(response, error));
      },
    );
    this.#server.maxConnections = 256;
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#address;
  }

  async listen({ host, port }: { readonly host: string; readonly port: number }): Promise<void> {
    try {
      this.#server.listen({ host, port });
      await once(this.#server, 'listening');
    } catch (error) {
      const expected = 'an address that can be listened on';
      const actual = (error as Error).message;
      throw new ConfigError([{ path: 'admin.listen', expected, actual }], error);
    }
    const { address, port: bound } = this.#server.address() as AddressInfo;
    this.#address = { host: address, port: bound };
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
    return this.#closing;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    const path = url.split('?', 1)[0] as string;
    const asset = method === 'GET' || method === 'HEAD' ? ASSETS.get(path) : undefined;
    const refusal = this.#guard.refusal(request, asset !== undefined || this.#api.isOpen(path));
    if (refusal !== undefined) {
      const headers = refusal.status === 401 ? { 'www-authenticate': 'Bearer' } : {};
      send(response, request, { ...failure(refusal.status, refusal.reason), headers });
      return;
    }
    if (asset !== undefined) {
      send(response, request, { status: 200, ...asset });
      return;
    }
    const body = await bodyOf(request);
    if (body === 'too large') send(response, request, failure(413, 'a smaller body'));
    else if (body === 'no JSON') send(response, request, failure(400, 'a body in JSON'));
    else send(response, request, await this.#api.answer({ method, path, body: body?.value }));
  }

  #broken(response: ServerResponse, error: unknown): void {
    this.#logger?.error({ error }, 'a request to the admin address failed');
    if (!response.headersSent) response.writeHead(500, HEADERS);
    response.end();
  }
}

function send(
  response: ServerResponse,
  { method }: IncomingMessage,
  { status, contentType, text, headers }: ApiAnswer & { readonly headers?: OutgoingHttpHeaders },
): void {
  response.writeHead(status, { ...HEADERS, ...headers, 'content-type': contentType });
  response.end(method === 'HEAD' ? undefined : text);
}

/** JSON only, which no page of another site can send without being asked whether it may. */
async function bodyOf(
  request: IncomingMessage,
): Promise<{ readonly value: unknown } | 'too large' | 'no JSON' | undefined> {
  const parts: Buffer[] = [];
  let byteCount = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    byteCount += part.length;
    if (byteCount > MAX_BODY_BYTES) return 'too large';
    parts.push(part);
  }
  if (byteCount === 0) return undefined;
  if (request.headers['content-type']?.split(';', 1)[0]?.trim() !== 'application/json')
    return 'no JSON';
  try {
    return { value: JSON.parse(Buffer.concat(parts).toString()) as unknown };
  } catch {
    return 'no JSON';
  }
}
