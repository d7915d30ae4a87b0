import { type Cluster, type ClusterOptions, createCluster } from '@evenkeel/core';
import http2 from 'node:http2';
import { createProxy, type Proxy, type ProxyOptions } from '../../index.ts';

export interface WorldOptions {
  /** Ports of endpoints on the loopback interface. */
  readonly endpoints: readonly number[];
  readonly proxy?: Partial<ProxyOptions>;
  readonly cluster?: Partial<ClusterOptions>;
}

/** A proxy in front of endpoints that a test has, with clients of node:http2. */
export class Http2World {
  readonly proxy: Proxy;
  readonly cluster: Cluster;
  readonly #sessions: http2.ClientHttp2Session[] = [];

  constructor(proxy: Proxy, cluster: Cluster) {
    this.proxy = proxy;
    this.cluster = cluster;
  }

  static async start({ endpoints, proxy, cluster }: WorldOptions): Promise<Http2World> {
    const origin = createCluster({
      name: 'origin',
      policy: 'round-robin',
      discovery: endpoints.map((port) => `127.0.0.1:${port}`),
      ...cluster,
    });
    await origin.ready();
    const made = await createProxy({
      clusters: [origin],
      listeners: [{ listen: '127.0.0.1:0', http: { routes: [{ cluster: 'origin' }] } }],
      ...proxy,
    });
    return new Http2World(made, origin);
  }

  get port(): number {
    return this.proxy.addresses[0]?.port ?? 0;
  }

  get counts(): Proxy['stats']['counters']['http2'] {
    return this.proxy.stats.counters.http2;
  }

  /** A client on a connection of its own. */
  connect(
    options: http2.ClientSessionOptions | http2.SecureClientSessionOptions = {},
  ): Http2Client {
    const isSecure = 'ca' in options;
    const session = http2.connect(
      `${isSecure ? 'https' : 'http'}://127.0.0.1:${this.port}`,
      options,
    );
    session.on('error', () => undefined);
    this.#sessions.push(session);
    return new Http2Client(session);
  }

  /** Waits until a condition holds that no event of the test's own tells of. */
  async until(condition: () => boolean): Promise<void> {
    const limit = Date.now() + 5_000;
    while (!condition()) {
      if (Date.now() > limit) throw new Error(`${condition.toString()} did not come true`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Closes everything, after it was made sure that nothing of HTTP/2 is left. */
  async close(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await this.until(() => this.counts.openSessionCount === 0);
    await this.until(() => this.counts.openStreamCount === 0);
    await this.until(() => this.counts.openUpstreamStreamCount === 0);
    await this.proxy.close({ drainTimeoutMs: 1_000 });
    await this.until(() => this.counts.openUpstreamSessionCount === 0);
    await this.cluster.close();
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: http2.IncomingHttpHeaders | undefined;
  readonly informational: readonly http2.IncomingHttpHeaders[];
}

/** Makes requests, and gathers answers. */
export class Http2Client {
  readonly session: http2.ClientHttp2Session;

  constructor(session: http2.ClientHttp2Session) {
    this.session = session;
  }

  get(path: string, headers: http2.OutgoingHttpHeaders = {}): Promise<Answer> {
    return this.answerTo(this.session.request({ ':path': path, ...headers }));
  }

  post(
    path: string,
    body: string | Buffer,
    headers: http2.OutgoingHttpHeaders = {},
  ): Promise<Answer> {
    const stream = this.session.request({ ':method': 'POST', ':path': path, ...headers });
    stream.end(body);
    return this.answerTo(stream);
  }

  answerTo(stream: http2.ClientHttp2Stream): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      const informational: http2.IncomingHttpHeaders[] = [];
      let headers: http2.IncomingHttpHeaders | undefined = undefined;
      let trailers: http2.IncomingHttpHeaders | undefined = undefined;
      let isWhole = false;
      stream.on('headers', (fields: http2.IncomingHttpHeaders) => informational.push(fields));
      stream.on('response', (fields) => (headers = fields));
      stream.on('trailers', (fields) => (trailers = fields));
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => (isWhole = true));
      stream.on('error', reject);
      stream.on('close', () => {
        if (headers === undefined || !isWhole || stream.aborted) {
          reject(new Error(`the stream ended with code ${stream.rstCode}`));
          return;
        }
        const status = Number((headers as { ':status'?: number })[':status']);
        resolve({ status, headers, body: Buffer.concat(chunks), trailers, informational });
      });
    });
  }
}
