import { isDeepStrictEqual } from 'node:util';
import {
  type Cluster,
  type ClusterOptions,
  ConfigError,
  createCluster,
  type DiscoverySource,
  type Runtime,
} from '@evenkeel/core';

interface Entry {
  readonly options: ClusterOptions;
  readonly cluster: Cluster;
  readonly unsubscribe: () => void;
}

export interface ClusterBookOptions {
  readonly runtime: Runtime;
  readonly sources: readonly DiscoverySource[];
  /** Something about a cluster has changed; what it publishes may follow a moment later. */
  readonly onChange: (name: string) => void;
}

/** A change that is prepared, and takes effect or is undone as a whole. */
export interface ClusterChange {
  commit(): void;
  rollback(): void;
}

/** The clusters of a gateway, which owns them. */
export class ClusterBook {
  readonly #options: ClusterBookOptions;
  #entries: ReadonlyMap<string, Entry> = new Map();

  constructor(options: ClusterBookOptions) {
    this.#options = options;
  }

  get all(): readonly Cluster[] {
    return Array.from(this.#entries.values(), ({ cluster }) => cluster);
  }

  get(name: string): Cluster | undefined {
    return this.#entries.get(name)?.cluster;
  }

  /**
   * Starts what is new and what has other options; clusters whose options stay are left alone.
   *
   * @throws ConfigError for options that are wrong after all; nothing has changed then
   */
  prepare(wanted: ReadonlyMap<string, ClusterOptions>): ClusterChange {
    const next = new Map<string, Entry>();
    const started: Entry[] = [];
    const end = (entries: readonly Entry[]): void => {
      for (const { unsubscribe, cluster } of entries) {
        unsubscribe();
        void cluster.close();
      }
    };
    try {
      for (const [name, options] of wanted) {
        const known = this.#entries.get(name);
        if (known !== undefined && isDeepStrictEqual(known.options, options)) {
          next.set(name, known);
          continue;
        }
        const entry = this.#start(name, options);
        started.push(entry);
        next.set(name, entry);
      }
    } catch (error) {
      end(started);
      throw error;
    }
    const kept = new Set(next.values());
    const ended = [...this.#entries.values()].filter((entry) => !kept.has(entry));
    return {
      commit: () => {
        this.#entries = next;
        end(ended);
      },
      rollback: () => end(started),
    };
  }

  async close(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries = new Map();
    for (const { unsubscribe } of entries) unsubscribe();
    await Promise.all(entries.map(({ cluster }) => cluster.close()));
  }

  #start(name: string, options: ClusterOptions): Entry {
    const { runtime, sources, onChange } = this.#options;
    try {
      const cluster = createCluster(options, { ...runtime, sources });
      return { options, cluster, unsubscribe: cluster.subscribe(() => onChange(name)) };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const issues = error.issues.map((issue) => ({
        ...issue,
        path: `clusters.${name}.${issue.path}`,
      }));
      throw new ConfigError(issues, error);
    }
  }
}
