/**
 * Connections that are made before anybody asks for them, so that the first requests after a start, after a change of
 * endpoints or after a pause do not wait for handshakes.
 */
import type { Cluster } from '@evenkeel/core';
import type { Sweeper, Timed } from '../socket/sweeper.ts';

/** How often it is looked after them: those that grew old are replaced, and those that failed are tried anew. */
const EVERY_MS = 1_000;

export interface WarmPorts {
  readonly cluster: Pick<Cluster, 'snapshot' | 'stateOf' | 'subscribe'>;
  readonly sweeper: Sweeper;
  /** Has connections made to the endpoint of a slot, as many as are missing. */
  warm(slot: number): void;
}

export class WarmConnections implements Timed {
  dueAtMs = 0;
  sweepIndex = -1;
  readonly #ports: WarmPorts;
  readonly #slots: Set<number>;
  readonly #unsubscribe: () => void;

  constructor(ports: WarmPorts) {
    const { cluster, sweeper } = ports;
    this.#ports = ports;
    this.#slots = new Set(cluster.snapshot().endpoints.map(({ slot }) => slot));
    this.#unsubscribe = cluster.subscribe((event) => {
      if (event.type === 'endpoint-added') this.#slots.add(event.slot);
      else if (event.type === 'endpoint-removed') this.#slots.delete(event.slot);
    });
    sweeper.add(this);
  }

  onDue(nowMs: number): void {
    this.dueAtMs = nowMs + EVERY_MS;
    this.fill();
  }

  /** Endpoints that get no requests get no connections either. */
  fill(): void {
    const { cluster } = this.#ports;
    for (const slot of this.#slots) {
      const state = cluster.stateOf(slot);
      if (state === 'healthy' || state === 'degraded') this.#ports.warm(slot);
    }
  }

  close(): void {
    this.#unsubscribe();
    this.#ports.sweeper.remove(this);
  }
}
