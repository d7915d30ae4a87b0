/**
 * `module`: a filter of one's own, which is loaded anew when its files change. Requests under way finish with the filter
 * that they began with; it is closed after the last one of them. A module that cannot be loaded, or whose `createFilter`
 * throws, changes nothing: the filter before stays, and the log says what is wrong.
 */
import { resolve } from 'node:path';
import type { z } from 'zod';
import type {
  BodyFilter,
  Filter,
  FilterAnswer,
  FilterRequest,
  FilterResponse,
  FilterStatus,
} from '../filter.ts';
import type { FilterKind, FilterPorts } from '../filter-kind.ts';
import { configErrorOf } from '../shared/config-error-of.ts';
import type { CreateFilter } from './define-filter.ts';
import { FileWatch } from './file-watch.ts';
import { checkedFilter, Instance } from './instance.ts';
import { LoadFailure, ModuleLoader } from './module-loader.ts';
import { type ModuleConfig, type ModuleOptions, moduleSchema } from './schema.ts';
import { TimeLimit } from './time-limit.ts';

export const moduleKind: FilterKind<z.ZodType<ModuleConfig, ModuleOptions>> = {
  name: 'module',
  about: "A filter of one's own, in TypeScript or JavaScript.",
  schema: moduleSchema,
  create: async (config, ports) => {
    const filter = new ModuleFilter(config, ports);
    try {
      await filter.start();
    } catch (error) {
      await filter.close();
      const reason = error instanceof Error ? error.message : String(error);
      throw configErrorOf('path', 'a module that can be loaded and makes a filter', reason);
    }
    return filter;
  },
};

class ModuleFilter implements Filter {
  readonly name = 'module';
  readonly #config: ModuleConfig;
  readonly #ports: FilterPorts;
  readonly #path: string;
  readonly #loader: ModuleLoader;
  readonly #limit: TimeLimit;
  readonly #watch: FileWatch | undefined;
  /** Of requests under way: the one that they began with. */
  readonly #ofRequest = new WeakMap<FilterRequest, Instance>();
  readonly #instances = new Set<Instance>();
  #current: Instance | undefined = undefined;
  #files: readonly string[] = [];
  #changing: Promise<void> | undefined = undefined;
  #hasChangedAgain = false;
  #isClosed = false;
  #reloadCount = 0;
  #failedReloadCount = 0;
  #lastFailure: string | undefined = undefined;

  constructor(config: ModuleConfig, ports: FilterPorts) {
    const { scheduler } = ports.runtime;
    this.#config = config;
    this.#ports = ports;
    this.#path = resolve(ports.baseDirectory, config.path);
    this.#loader = new ModuleLoader(this.#path);
    this.#limit = new TimeLimit(scheduler, config.timeoutMs);
    this.#watch = config.reload ? new FileWatch(scheduler, () => this.#changed()) : undefined;
  }

  /** @throws what is wrong with the module */
  async start(): Promise<void> {
    await this.#watch?.setFiles([this.#path]);
    await this.#load();
  }

  onRequest(request: FilterRequest): FilterAnswer | undefined | Promise<FilterAnswer | undefined> {
    const instance = this.#current as Instance;
    // Whatever the hook does: onEnd follows.
    instance.enter();
    this.#ofRequest.set(request, instance);
    return this.#limit.of(instance.filter.onRequest?.(request));
  }

  requestBody(request: FilterRequest): BodyFilter | undefined {
    return this.#limit.body(this.#filterOf(request).requestBody?.(request));
  }

  onResponse(response: FilterResponse, request: FilterRequest): void {
    this.#filterOf(request).onResponse?.(response, request);
  }

  responseBody(response: FilterResponse, request: FilterRequest): BodyFilter | undefined {
    return this.#limit.body(this.#filterOf(request).responseBody?.(response, request));
  }

  onEnd(request: FilterRequest): void {
    const instance = this.#ofRequest.get(request);
    if (instance === undefined) return;
    this.#ofRequest.delete(request);
    try {
      instance.filter.onEnd?.(request);
    } finally {
      instance.leave();
    }
  }

  status(): FilterStatus {
    return {
      path: this.#path,
      reloadCount: this.#reloadCount,
      failedReloadCount: this.#failedReloadCount,
      lastFailure: this.#lastFailure,
      timeoutCount: this.#limit.expiredCount,
      instanceCount: this.#instances.size,
      ...this.#current?.filter.status?.(),
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#watch?.close();
    await this.#changing;
    this.#loader.close();
    await Promise.all(Array.from(this.#instances, (instance) => instance.close()));
  }

  #filterOf(request: FilterRequest): Filter {
    return (this.#ofRequest.get(request) ?? (this.#current as Instance)).filter;
  }

  /** Changes that come while one is under way are taken up together after it. */
  #changed(): void {
    this.#hasChangedAgain = true;
    this.#changing ??= this.#reload().finally(() => {
      this.#changing = undefined;
    });
  }

  async #reload(): Promise<void> {
    const { logger } = this.#ports.runtime;
    while (this.#hasChangedAgain && !this.#isClosed) {
      this.#hasChangedAgain = false;
      try {
        await this.#load();
        this.#reloadCount++;
        this.#lastFailure = undefined;
        logger.info({ path: this.#path, reloadCount: this.#reloadCount }, 'a filter was reloaded');
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#failedReloadCount++;
        this.#lastFailure = reason;
        logger.error(
          { path: this.#path, reason },
          'a filter could not be reloaded; the one before stays',
        );
      }
    }
  }

  async #load(): Promise<void> {
    const files = new Set(this.#files);
    try {
      const loaded = await this.#loader.load();
      for (const file of loaded.files) files.add(file);
      const filter = checkedFilter(await this.#make(loaded.exports));
      this.#files = loaded.files;
      this.#take(filter);
    } catch (error) {
      // What mends it may be in a file that only the new version imports.
      if (error instanceof LoadFailure) for (const file of error.files) files.add(file);
      this.#files = [...files];
      throw error;
    } finally {
      await this.#watch?.setFiles(this.#files);
    }
  }

  async #make(exports: Readonly<Record<string, unknown>>): Promise<unknown> {
    const { createFilter } = exports;
    if (typeof createFilter !== 'function') {
      throw new TypeError('the module has to export a function createFilter');
    }
    const create = createFilter as CreateFilter;
    return this.#limit.of(create(this.#config.options, this.#ports));
  }

  #take(filter: Filter): void {
    const instance = new Instance(filter, () => void this.#instances.delete(instance));
    this.#instances.add(instance);
    const before = this.#current;
    this.#current = instance;
    before?.retire();
  }
}
