/** The clusters that a file describes: made from it, kept while their part of it stays as it is, and closed after it. */
import {
  type Cluster,
  type ClusterOptions,
  type ClusterPorts,
  createCluster,
  type Scheduler,
} from '@evenkeel/core';
import { isDeepStrictEqual } from 'node:util';
import { within } from '../within.ts';

interface FileCluster {
  readonly cluster: Cluster;
  readonly options: ClusterOptions;
}

type ByName = ReadonlyMap<string, FileCluster>;

export class FileClusters {
  readonly #ports: ClusterPorts;
  #current: ByName = new Map();
  /** Not named any more, and not closed yet. */
  readonly #leaving = new Set<Cluster>();

  constructor(ports: ClusterPorts) {
    this.#ports = ports;
  }

  /** Those of the file that is in force, in its order. */
  get all(): readonly Cluster[] {
    return Array.from(this.#current.values(), ({ cluster }) => cluster);
  }

  /** Starts those that are new, or are described in another way. @throws ConfigError; none is left open then */
  plan(wanted: ReadonlyMap<string, ClusterOptions>): ClusterPlan {
    const next = new Map<string, FileCluster>();
    const plan = new ClusterPlan(this.#current, next);
    try {
      for (const [name, options] of wanted) {
        const known = this.#current.get(name);
        const stays = known !== undefined && isDeepStrictEqual(known.options, options);
        const cluster = stays ? known.cluster : createCluster(options, this.#ports);
        next.set(name, { cluster, options });
      }
    } catch (error) {
      void plan.discard();
      throw error;
    }
    return plan;
  }

  /** @param drained when nothing of what was before is used any more */
  commit(plan: ClusterPlan, drained: Promise<void>): void {
    this.#current = plan.next;
    for (const cluster of plan.removed) {
      this.#leaving.add(cluster);
      void drained.then(async () => {
        await cluster.close();
        this.#leaving.delete(cluster);
      });
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.all, ...this.#leaving].map((cluster) => cluster.close()));
  }
}

export class ClusterPlan {
  readonly next: ByName;
  readonly #before: ByName;

  constructor(before: ByName, next: ByName) {
    this.#before = before;
    this.next = next;
  }

  get clusters(): readonly Cluster[] {
    return Array.from(this.next.values(), ({ cluster }) => cluster);
  }

  /** Those that were made for it. */
  get added(): readonly Cluster[] {
    return missingIn(this.#before, this.next);
  }

  get removed(): readonly Cluster[] {
    return missingIn(this.next, this.#before);
  }

  /** Waits for endpoints. @returns the names of those that know none after `limitMs` */
  async notReady(limitMs: number, scheduler: Scheduler): Promise<readonly string[]> {
    const added = this.added.map(async (cluster) => {
      const isReady = await within(scheduler, cluster.ready(), limitMs);
      return isReady ? [] : [cluster.name];
    });
    return (await Promise.all(added)).flat();
  }

  /** The file is not wanted. */
  async discard(): Promise<void> {
    await Promise.all(this.added.map((cluster) => cluster.close()));
  }
}

function missingIn(some: ByName, all: ByName): readonly Cluster[] {
  return Array.from(all)
    .filter(([name, { cluster }]) => some.get(name)?.cluster !== cluster)
    .map(([, { cluster }]) => cluster);
}
