import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, request } from 'undici';

/** One finished request, as the caller saw it. */
export interface Served {
  /** Since the load began. */
  readonly atMs: number;
  readonly latencyMs: number;
  /** Who answered; undefined when nobody did. */
  readonly server: string | undefined;
}

export interface LoadOptions {
  readonly dispatcher: Dispatcher;
  readonly url: string;
  /** Callers at work at the same time. */
  readonly callers: number;
  /** How long a caller rests between two requests, on average. */
  readonly restMs: number;
}

/**
 * Callers that ask, wait for the answer, rest and ask again. All requests are GET: idempotent, so the dispatcher may
 * send them elsewhere when an endpoint fails.
 */
export class Load {
  /** Finished requests, oldest first; see {@link Load.forgetBefore}. */
  served: Served[] = [];
  requests = 0;
  /** Requests that failed for the caller: with an error, or with a status of 400 or more. */
  errors = 0;
  lastError: string | undefined;
  readonly #options: LoadOptions;
  readonly #startedAtMs = performance.now();
  readonly #callers: readonly Promise<void>[];
  #running = true;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#callers = Array.from({ length: options.callers }, () => this.#call());
  }

  nowMs(): number {
    return performance.now() - this.#startedAtMs;
  }

  /** Drops what a view that shows only the last seconds does not need. */
  forgetBefore(atMs: number): void {
    this.served = this.served.filter((served) => served.atMs >= atMs);
  }

  /** Lets requests in flight end. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#callers);
  }

  async #call(): Promise<void> {
    const { restMs } = this.#options;
    // Callers that start together would ask together for ever.
    await sleep(Math.random() * restMs);
    while (this.#running) {
      await this.#ask();
      await sleep(restMs * (0.5 + Math.random()));
    }
  }

  async #ask(): Promise<void> {
    const { url, dispatcher } = this.#options;
    const startMs = this.nowMs();
    let server: string | undefined;
    try {
      const { statusCode, headers, body } = await request(url, { dispatcher });
      await body.dump();
      server = String(headers['x-server']);
      if (statusCode >= 400) this.#fail(`status ${statusCode} from ${server}`);
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
    const atMs = this.nowMs();
    this.requests++;
    this.served.push({ atMs, latencyMs: atMs - startMs, server });
  }

  #fail(reason: string): void {
    this.errors++;
    this.lastError = reason;
  }
}
