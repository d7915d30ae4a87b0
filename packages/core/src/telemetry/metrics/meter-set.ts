import { configError } from '../../error/config-error.ts';
import { ClusterMeter, type ClusterReading, type MeteredCluster } from './cluster-meter.ts';

/** The clusters of one metrics object. */
export class MeterSet {
  readonly #meters = new Map<string, ClusterMeter>();
  readonly #maxLabelledEndpoints: number;
  #readings: readonly ClusterReading[] | undefined;

  constructor(maxLabelledEndpoints: number) {
    this.#maxLabelledEndpoints = maxLabelledEndpoints;
  }

  add(cluster: MeteredCluster): void {
    const known = this.#meters.get(cluster.name);
    if (known?.cluster === cluster) return;
    if (known !== undefined && !known.cluster.snapshot().closed) {
      throw configError('clusters', 'clusters of different names', cluster.name);
    }
    known?.close();
    this.#meters.set(cluster.name, new ClusterMeter(cluster, this.#maxLabelledEndpoints));
  }

  remove(cluster: MeteredCluster): void {
    const known = this.#meters.get(cluster.name);
    if (known?.cluster !== cluster) return;
    known.close();
    this.#meters.delete(cluster.name);
  }

  close(): void {
    for (const meter of this.#meters.values()) meter.close();
    this.#meters.clear();
  }

  /**
   * The clusters now. A registry asks all its metrics in one go, so one reading serves until the running code yields:
   * a scrape costs one snapshot per cluster and all of its numbers belong together.
   */
  read(): readonly ClusterReading[] {
    if (this.#readings === undefined) {
      this.#readings = Array.from(this.#meters.values(), (meter) => meter.read());
      void Promise.resolve().then(() => (this.#readings = undefined));
    }
    return this.#readings;
  }
}
