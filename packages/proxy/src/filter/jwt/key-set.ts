/**
 * The public keys of an issuer. They are asked for
 *
 * - at the start, and once they are older than `refreshMs`: in the background, while the old ones serve;
 * - when a token names a key that is not among them: the issuer may have changed its keys. Its request waits.
 *
 * Never more often than every `minRefreshMs`, whatever tokens name, and one question at a time. When the issuer cannot
 * be reached, the last good set serves for up to `maxStaleMs`.
 */
import type { Runtime } from '@evenkeel/core';
import { fetchKeys } from './fetch-keys.ts';
import type { JwkSet } from './schema.ts';

export interface KeySetOptions {
  readonly url: string;
  readonly refreshMs: number;
  readonly minRefreshMs: number;
  readonly maxStaleMs: number;
  readonly timeoutMs: number;
  readonly runtime: Runtime;
  /** A set that differs from the one before. */
  readonly onKeys: (keys: JwkSet) => void;
}

export class KeySet {
  readonly #options: KeySetOptions;
  readonly #closed = new AbortController();
  #text = '';
  #loadedMs = Number.NEGATIVE_INFINITY;
  #askedMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined = undefined;
  fetchCount = 0;
  failureCount = 0;

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  /** Are there keys, and are they young enough to be trusted? Asks for new ones in the background when it is time. */
  get isUsable(): boolean {
    const ageMs = this.#nowMs() - this.#loadedMs;
    if (ageMs > this.#options.refreshMs) void this.refresh();
    return ageMs <= this.#options.maxStaleMs;
  }

  /** Asks for the keys, unless that was done just now. Resolves when there is an answer, or none; never rejects. */
  refresh(): Promise<void> {
    if (this.#asking !== undefined) return this.#asking;
    const nowMs = this.#nowMs();
    if (nowMs - this.#askedMs < this.#options.minRefreshMs || this.#closed.signal.aborted) {
      return Promise.resolve();
    }
    this.#askedMs = nowMs;
    this.#asking = this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#asking;
  }

  async #ask(): Promise<void> {
    const { url, timeoutMs, runtime, onKeys } = this.#options;
    this.fetchCount++;
    try {
      const keys = await fetchKeys(url, timeoutMs, {
        scheduler: runtime.scheduler,
        closed: this.#closed.signal,
      });
      if (this.#closed.signal.aborted) return;
      const text = JSON.stringify(keys);
      if (text !== this.#text) onKeys(keys);
      this.#text = text;
      this.#loadedMs = this.#nowMs();
    } catch (error) {
      if (this.#closed.signal.aborted) return;
      this.failureCount++;
      runtime.logger.warn({ url, reason: reasonOf(error) }, 'the keys of an issuer did not come');
    }
  }

  #nowMs(): number {
    return this.#options.runtime.clock.nowMs();
  }
}

/** fetch says "fetch failed" and keeps the reason beneath. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as { readonly message?: unknown; readonly cause?: unknown };
  const beneath = (cause as { readonly message?: unknown } | undefined)?.message;
  return [message, beneath].filter((part) => typeof part === 'string' && part !== '').join(': ');
}
