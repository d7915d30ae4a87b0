import type { Filter } from '../filter.ts';

/** A filter that a module has made, with the requests that it still has. */
export class Instance {
  readonly filter: Filter;
  readonly #onClosed: () => void;
  #requestCount = 0;
  #isRetired = false;
  #closing: Promise<void> | undefined = undefined;

  constructor(filter: Filter, onClosed: () => void) {
    this.filter = filter;
    this.#onClosed = onClosed;
  }

  enter(): void {
    this.#requestCount++;
  }

  leave(): void {
    if (--this.#requestCount === 0 && this.#isRetired) void this.close();
  }

  /** Gets no requests any more, and is closed after the last one that it has. */
  retire(): void {
    this.#isRetired = true;
    if (this.#requestCount === 0) void this.close();
  }

  /** Never rejects: the filter is of no use any more, whatever it says. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.filter.close?.();
    } catch {
      // See above.
    } finally {
      this.#onClosed();
    }
  }
}

const HOOKS = ['onRequest', 'requestBody', 'onResponse', 'responseBody', 'onEnd'] as const;

/** @throws TypeError for what is no filter */
export function checkedFilter(made: unknown): Filter {
  if (typeof made !== 'object' || made === null) {
    throw new TypeError('createFilter has to return a filter, an object with hooks');
  }
  const filter = made as Readonly<Record<string, unknown>>;
  for (const name of [...HOOKS, 'status', 'close']) {
    if (filter[name] !== undefined && typeof filter[name] !== 'function') {
      throw new TypeError(`${name} of the filter has to be a function`);
    }
  }
  if (HOOKS.every((name) => filter[name] === undefined)) {
    throw new TypeError(`the filter has none of the hooks ${HOOKS.join(', ')}`);
  }
  return made as Filter;
}
