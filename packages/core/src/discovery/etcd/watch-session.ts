import type { Runtime } from '../../runtime/runtime.ts';
import { discoveryError } from '../discovery-error.ts';
import type { EtcdClient } from './client/etcd-client.ts';
import type { OpenWatch } from './client/open-watch.ts';
import { encodeKey, type Header, rangeEndOf, type WatchEvent } from './client/wire.ts';

export interface WatchSessionOptions {
  readonly client: EtcdClient;
  readonly prefix: string;
  /** What is known already: events begin after it. */
  readonly revision: bigint;
  /** The member that told it. */
  readonly slot: number;
  readonly runtime: Pick<Runtime, 'clock' | 'scheduler'>;
  /** @throws when the answers of this server must not be mixed with what is known */
  readonly checkHeader: (header: Header) => void;
  readonly apply: (events: readonly WatchEvent[]) => void;
}

/** How a wait ended: events were applied, or the server lives. */
export type WatchNews = 'changed' | 'alive';

/**
 * A watch that lasts longer than its connections. etcd sends nothing while nothing changes (a sign of life every ten
 * minutes, if it was configured well), and its JSON gateway takes no questions on a watch that is open. So a watch that
 * has been quiet for some time is replaced by a new one that begins where the old one ended. Its confirmation is the sign
 * of life, and events that a dead connection has swallowed come with it.
 */
export class WatchSession {
  readonly #options: WatchSessionOptions;
  readonly #abort = new AbortController();
  /** Everything up to here has been applied. */
  #revision: bigint;
  #slot: number;
  #watch: OpenWatch | undefined;
  #openCount = 0;
  #hasChanged = false;
  #hasSignOfLife = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(options: WatchSessionOptions) {
    this.#options = options;
    this.#revision = options.revision;
    this.#slot = options.slot;
  }

  /** The member that the watch is at, or was at last. */
  get slot(): number {
    return this.#slot;
  }

  get revision(): bigint {
    return this.#revision;
  }

  /** Has it been quiet for so long that it was opened anew? Then history may have been compacted past it in good order. */
  get isRenewed(): boolean {
    return this.#openCount > 1;
  }

  /**
   * Waits for news; at most one call at a time. An abort ends the session.
   *
   * @param untilMs clock time at which a watch that has been quiet is opened anew
   * @throws Error when it has ended; `CompactedError` when what was missed is gone
   */
  async next(untilMs: number, signal: AbortSignal): Promise<WatchNews> {
    const onAbort = (): void => this.close();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (this.#watch === undefined) await this.#open();
      if (!this.#hasNews()) await this.#waitForNews(untilMs);
      if (this.#error !== undefined) throw this.#error;
      if (this.#hasChanged) return this.#take('changed');
      if (!this.#hasSignOfLife) await this.#renew();
      return this.#take(this.#hasChanged ? 'changed' : 'alive');
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  close(): void {
    this.#error ??= discoveryError('the watch is closed');
    this.#watch?.close();
    this.#abort.abort();
    this.#wake?.();
  }

  #hasNews(): boolean {
    return this.#hasChanged || this.#hasSignOfLife || this.#error !== undefined;
  }

  #take(news: WatchNews): WatchNews {
    this.#hasChanged = false;
    this.#hasSignOfLife = false;
    return news;
  }

  #waitForNews(untilMs: number): Promise<void> {
    const { clock, scheduler } = this.#options.runtime;
    return new Promise((resolve) => {
      const timer = scheduler.after(Math.max(0, untilMs - clock.nowMs()), () => this.#wake?.());
      this.#wake = () => {
        timer.cancel();
        this.#wake = undefined;
        resolve();
      };
    });
  }

  async #renew(): Promise<void> {
    this.#watch?.close();
    await this.#open();
    // Not those of the old one any more.
    if (this.#error !== undefined) throw this.#error;
  }

  async #open(): Promise<void> {
    const { client, prefix, checkHeader } = this.#options;
    // Events may be applied in the same breath as the confirmation, before anybody looks at it here.
    const known = this.#revision;
    // The listener of a watch that has been replaced hears nothing: it was closed before.
    const watch = await client.watch(
      {
        create: {
          key: encodeKey(prefix),
          range_end: encodeKey(rangeEndOf(prefix)),
          start_revision: String(known + 1n),
          progress_notify: true,
          fragment: true,
        },
        prefer: { stickTo: this.#slot },
        signal: this.#abort.signal,
      },
      {
        onMessage: (message) => {
          this.#guarded(() => {
            checkHeader(message.header);
            if (message.kind === 'events') {
              this.#onEvents(message.events, message.isFragment);
            } else {
              this.#hasSignOfLife = true;
              // Sent only when everything before it has been.
              if (message.header.revision > this.#revision) {
                this.#revision = message.header.revision;
              }
              this.#wake?.();
            }
          });
        },
        onEnd: (error) => this.#fail(error),
      },
    );
    this.#watch = watch;
    this.#slot = watch.slot;
    this.#openCount += 1;
    checkHeader(watch.header);
    if (watch.header.revision < known) {
      const { revision } = watch.header;
      throw discoveryError(
        `the member is at revision ${revision}, behind ${known}: it lags, or was restored from a backup`,
      );
    }
  }

  #onEvents(events: readonly WatchEvent[], isFragment: boolean): void {
    this.#options.apply(events);
    // The rest of the revision is still to come: a new watch has to begin with it once more.
    if (isFragment) return;
    for (const { keyValue } of events) {
      if (keyValue.modRevision > this.#revision) this.#revision = keyValue.modRevision;
    }
    this.#hasChanged = true;
    this.#wake?.();
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#watch?.close();
      this.#fail(error as Error);
    }
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#wake?.();
  }
}
