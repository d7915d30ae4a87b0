/**
 * What configurations consist of, beside their listeners: pools of connections, logs, filters. A part may be in several
 * configurations, one after the other; it is closed when the last request has ended that began under any of them.
 */
import type { Usage } from '../runtime/usage.ts';

/** Something that is closed when no configuration has it any more. */
export interface Part {
  close(): void | Promise<void>;
}

interface Holding {
  count: number;
  readonly gone: Promise<void>;
  readonly end: () => void;
}

/** All parts of a proxy, and how many configurations have each. */
export class Parts {
  readonly #held = new Map<Part, Holding>();

  [Symbol.iterator](): IterableIterator<Part> {
    return this.#held.keys();
  }

  /** @returns once the part is closed; at once for one that nobody holds */
  gone(part: Part): Promise<void> {
    return this.#held.get(part)?.gone ?? Promise.resolve();
  }

  /** @param usage of the configuration that has these parts, by its requests */
  hold(parts: Iterable<Part>, usage: Usage): Generation {
    const held = new Set(parts);
    for (const part of held) this.#hold(part);
    return new Generation(usage, async () => {
      await Promise.all(Array.from(held, (part) => this.#release(part)));
    });
  }

  /** Whoever holds them. @returns once all that are meant are closed */
  async close(isMeant: (part: Part) => boolean = () => true): Promise<void> {
    const meant = [...this.#held].filter(([part]) => isMeant(part));
    await Promise.all(meant.map(([part, holding]) => this.#close(part, holding)));
  }

  #hold(part: Part): void {
    const known = this.#held.get(part);
    if (known !== undefined) known.count++;
    else {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#held.set(part, { count: 1, gone: promise, end: resolve });
    }
  }

  async #release(part: Part): Promise<void> {
    const holding = this.#held.get(part);
    if (holding === undefined || --holding.count > 0) return;
    await this.#close(part, holding);
  }

  async #close(part: Part, holding: Holding): Promise<void> {
    if (!this.#held.delete(part)) return;
    try {
      await part.close();
    } finally {
      holding.end();
    }
  }
}

/** One configuration, from the moment it comes into force to the end of its last request. */
export class Generation {
  readonly #usage: Usage;
  readonly #release: () => Promise<void>;

  constructor(usage: Usage, release: () => Promise<void>) {
    this.#usage = usage;
    this.#release = release;
  }

  /**
   * Another configuration is in force.
   *
   * @param last settles when there are no new requests under this one: its last listener is gone
   * @returns once what only this one had is closed
   */
  async retire(last: Promise<unknown> = Promise.resolve()): Promise<void> {
    await last;
    await this.#usage.retire();
    await this.#release();
  }
}
