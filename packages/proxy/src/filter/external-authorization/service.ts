/** The service that is asked: endpoints of a cluster, or a URL; in both cases through undici. */
import { type Cluster, EvenkeelError, type Scheduler } from '@evenkeel/core';
import type { Dispatcher } from 'undici';
import type { ExternalAuthorizationConfig } from './schema.ts';

export interface ServiceAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** What a refusal may say. */
const MAX_BODY_BYTES = 65_536;

export class Service {
  readonly #dispatcher: Dispatcher;
  readonly #url: URL;
  readonly #config: ExternalAuthorizationConfig;
  readonly #scheduler: Scheduler;

  constructor(dispatcher: Dispatcher, config: ExternalAuthorizationConfig, scheduler: Scheduler) {
    this.#dispatcher = dispatcher;
    this.#config = config;
    this.#scheduler = scheduler;
    this.#url = new URL(config.url ?? `http://${config.cluster}${config.path}`);
  }

  /** @throws what went wrong: time is up, no connection, an answer that is too long */
  async ask(headers: Record<string, string>, gone: AbortSignal): Promise<ServiceAnswer> {
    const abort = new AbortController();
    const { timeoutMs, method } = this.#config;
    const cancel = (): void => abort.abort(new Error('nobody waits any more'));
    const timer = this.#scheduler.after(timeoutMs, () =>
      abort.abort(new Error(`no answer within ${timeoutMs} ms`)),
    );
    if (gone.aborted) cancel();
    else gone.addEventListener('abort', cancel, { once: true });
    try {
      const {
        statusCode,
        headers: fields,
        body,
      } = await this.#dispatcher.request({
        origin: this.#url.origin,
        path: `${this.#url.pathname}${this.#url.search}`,
        method,
        headers,
        signal: abort.signal,
      });
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        // Leaving the loop breaks the answer off.
        if (bytes > MAX_BODY_BYTES) throw new Error(`an answer of over ${MAX_BODY_BYTES} bytes`);
        chunks.push(chunk);
      }
      return { status: statusCode, headers: fields, body: Buffer.concat(chunks) };
    } finally {
      timer.cancel();
      gone.removeEventListener('abort', cancel);
    }
  }

  /** Questions under way are broken off. */
  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }
}

/**
 * undici is an optional package, and loaded only where this filter is used.
 *
 * @throws EvenkeelError `EVENKEEL_UNSUPPORTED` where it is missing
 */
export async function dispatcherFor(
  cluster: Cluster | undefined,
  { timeoutMs, maxConcurrent }: ExternalAuthorizationConfig,
): Promise<Dispatcher> {
  try {
    if (cluster === undefined) {
      const { Agent } = await import('undici');
      return new Agent({ connections: Math.min(maxConcurrent, 256) });
    }
    const { createDispatcher } = await import('@evenkeel/core/undici');
    return createDispatcher({
      clusters: [cluster],
      deadlineMs: timeoutMs,
      retry: { attempts: 1 },
      drainTimeoutMs: 0,
    });
  } catch (cause) {
    const { code } = cause as { readonly code?: unknown };
    // The one of import(), the other of require(), which builds for CommonJS make of it.
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw cause;
    throw new EvenkeelError(
      'EVENKEEL_UNSUPPORTED',
      'externalAuthorization needs the package undici: npm install undici',
      { cause },
    );
  }
}
