/** What each address of the admin API does. */
import {
  type Cluster,
  ConfigError,
  type EndpointSnapshot,
  isEvenkeelError,
  type Logger,
} from '@evenkeel/core';
import { decode, flag, integer, object, oneOf, text } from '@evenkeel/core/schema';
import { z } from 'zod';
import type { ProxyFile } from '../proxy/file/face.ts';
import type { Proxy } from '../proxy/face.ts';
import { redactOptions } from './redact-options.ts';
import { clusterView, endpointView, overviewOf, routeView } from './views.ts';

/** Text in the format of Prometheus, with its content type. */
export interface Scrape {
  readonly contentType: string;
  readonly text: string;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface ApiSubject {
  readonly proxy: Proxy;
  /** Where the options of the proxy stand, if they stand in a file. */
  readonly file: ProxyFile | undefined;
  readonly metrics: (() => Promise<Scrape>) | undefined;
  /** Whose level may be changed: pino's and others have one. */
  readonly logger: (Logger & { level?: string }) | undefined;
}

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  /** Parsed JSON; undefined for none. */
  readonly body: unknown;
}

export interface ApiAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

type Handler = (request: ApiRequest, names: readonly string[]) => ApiAnswer | Promise<ApiAnswer>;

interface Resource {
  readonly path: RegExp;
  readonly handlers: Readonly<Record<string, Handler>>;
}

const explainSchema = object({
  listener: integer({ min: 0, max: 10_000 }).optional(),
  method: text(32).optional(),
  host: z.string().max(260).optional(),
  path: z.string().max(8_192).startsWith('/', { error: 'a path' }).optional(),
  headers: z.record(text(256), z.string().max(8_192)).optional(),
  sourceAddress: text(64).optional(),
  certificate: object({
    subject: z.string().max(1_024).optional(),
    names: z.array(z.string().max(1_024)).max(100).optional(),
    fingerprint: z.string().max(64).optional(),
  }).optional(),
});

const endpointSchema = object({
  enabled: flag().optional(),
  degraded: flag().optional(),
  weight: z.union([integer({ min: 0, max: 1_000_000 }), z.null()]).optional(),
});

const levelSchema = object({
  level: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
});

export class Api {
  readonly #subject: ApiSubject;
  readonly #resources: readonly Resource[];

  constructor(subject: ApiSubject) {
    this.#subject = subject;
    const { proxy } = subject;
    this.#resources = [
      resource('/healthz', { GET: () => plain(200, 'ok') }),
      resource('/readyz', { GET: () => this.#ready() }),
      resource('/metrics', { GET: () => this.#scrape() }),
      resource('/api/overview', { GET: () => json({ ...overviewOf(proxy), file: this.#file() }) }),
      resource('/api/routes', { GET: () => json(proxy.stats.routes.map(routeView)) }),
      resource('/api/config', { GET: () => json(redactOptions(proxy.options)) }),
      resource('/api/clusters', {
        GET: () => json(proxy.options.clusters.map((cluster) => clusterView(cluster.snapshot()))),
      }),
      resource('/api/clusters/{}', {
        GET: (_, [name]) => json(clusterView(this.#cluster(name).snapshot())),
      }),
      resource('/api/clusters/{}/endpoints/{}', {
        GET: (_, [cluster, id]) => json(endpointView(endpointOf(this.#cluster(cluster), id))),
        PATCH: ({ body }, [cluster, id]) => this.#changeEndpoint(this.#cluster(cluster), id, body),
      }),
      resource('/api/explain', {
        POST: ({ body }) => json(proxy.explain(decode(explainSchema, body ?? {}, 'request'))),
      }),
      resource('/api/drain', { POST: () => this.#drain() }),
      resource('/api/reload', { POST: () => this.#reload() }),
      resource('/api/log-level', {
        GET: () => json({ level: this.#logger().level }),
        PUT: ({ body }) => this.#setLevel(body),
      }),
    ];
  }

  /** May be seen by everybody: they tell whether the proxy works, and nothing else. */
  isOpen(path: string): boolean {
    return path === '/healthz' || path === '/readyz';
  }

  async answer(request: ApiRequest): Promise<ApiAnswer> {
    for (const { path, handlers } of this.#resources) {
      const match = path.exec(request.path);
      if (match === null) continue;
      const handler = handlers[request.method === 'HEAD' ? 'GET' : request.method];
      if (handler === undefined) return failure(405, `one of ${Object.keys(handlers).join(', ')}`);
      try {
        return await handler(request, match.slice(1).map(decodeURIComponent));
      } catch (error) {
        if (error instanceof NotFound) return failure(404, error.message);
        if (error instanceof ConfigError || error instanceof URIError)
          return failure(400, error.message);
        if (isEvenkeelError(error)) return failure(409, error.message);
        throw error;
      }
    }
    return failure(404, 'nothing here');
  }

  #ready(): ApiAnswer {
    const { proxy } = this.#subject;
    if (proxy.isDraining) return plain(503, 'draining');
    const waiting = proxy.options.clusters.filter((cluster) => !cluster.snapshot().ready);
    return waiting.length === 0
      ? plain(200, 'ready')
      : plain(503, `without endpoints so far: ${waiting.map(({ name }) => name).join(', ')}`);
  }

  async #scrape(): Promise<ApiAnswer> {
    const { metrics } = this.#subject;
    if (metrics === undefined) return failure(501, 'no metrics were given to the admin server');
    const { contentType, text: body } = await metrics();
    return { status: 200, contentType, text: body };
  }

  #file(): object | undefined {
    const status = this.#subject.file?.status;
    return status && { ...status, lastError: status.lastError?.message };
  }

  #cluster(name = ''): Cluster {
    const { clusters } = this.#subject.proxy.options;
    const found = clusters.find((cluster) => cluster.name === name);
    if (found === undefined) throw new NotFound(`no cluster '${name}'`);
    return found;
  }

  #changeEndpoint(cluster: Cluster, id: string | undefined, body: unknown): ApiAnswer {
    const { id: endpoint } = endpointOf(cluster, id);
    const { enabled, degraded, weight } = decode(endpointSchema, body ?? {}, 'endpoint');
    if (enabled !== undefined) cluster.setEnabled(endpoint, enabled);
    if (degraded !== undefined) cluster.setDegraded(endpoint, degraded);
    if (weight !== undefined) cluster.setWeight(endpoint, weight ?? undefined);
    this.#subject.logger?.info(
      { cluster: cluster.name, endpoint, enabled, degraded, weight },
      'an endpoint was changed by an operator',
    );
    return json(endpointView(endpointOf(cluster, endpoint)));
  }

  #drain(): ApiAnswer {
    this.#subject.proxy.drain();
    this.#subject.logger?.info({}, 'draining, as an operator asked');
    return json({ isDraining: true });
  }

  /** The file, or the certificates where there is none. */
  async #reload(): Promise<ApiAnswer> {
    const { file, proxy } = this.#subject;
    if (file === undefined) {
      await proxy.reloadCertificates();
      return json({ reloaded: 'certificates' });
    }
    const { generation, listeners, clusters } = await file.reload();
    return json({ reloaded: 'file', generation, listeners, clusters });
  }

  #logger(): Logger & { level?: string } {
    const { logger } = this.#subject;
    if (logger?.level === undefined) throw new NotFound('no logger whose level can be changed');
    return logger;
  }

  #setLevel(body: unknown): ApiAnswer {
    const logger = this.#logger();
    logger.level = decode(levelSchema, body, 'request').level;
    return json({ level: logger.level });
  }
}

class NotFound extends Error {}

function endpointOf(cluster: Cluster, id = ''): EndpointSnapshot {
  const found = cluster.snapshot().endpoints.find((endpoint) => endpoint.id === id);
  if (found === undefined)
    throw new NotFound(`no endpoint '${id}' in the cluster '${cluster.name}'`);
  return found;
}

/** @param path `{}` stands for a name, whose slashes are escaped */
function resource(path: string, handlers: Readonly<Record<string, Handler>>): Resource {
  return { path: new RegExp(`^${path.replaceAll('{}', '([^/]+)')}$`), handlers };
}

function json(value: unknown): ApiAnswer {
  return { status: 200, contentType: 'application/json', text: JSON.stringify(value, asJson) };
}

/** What JSON has no way to say. */
function asJson(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Float64Array) return Array.from(value);
  return value instanceof Set ? [...value] : value;
}

function plain(status: number, line: string): ApiAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', text: `${line}\n` };
}

export function failure(status: number, error: string): ApiAnswer {
  return { status, contentType: 'application/json', text: JSON.stringify({ error }) };
}
