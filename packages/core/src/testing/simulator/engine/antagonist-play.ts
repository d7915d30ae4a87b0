import type { Fleet } from './fleet.ts';
import type { Server } from './server.ts';
import { Purpose, type Stream, streamOf } from './stream.ts';

/**
 * What runs beside the servers: takes a share of a machine's cores, for exponential times on and off. Every server's
 * antagonist has a stream of its own, so that all policies meet the same ones.
 */
export class AntagonistPlay {
  readonly #fleet: Fleet;
  readonly #streams: readonly Stream[];
  readonly #on: boolean[];

  constructor(fleet: Fleet, seed: number) {
    this.#fleet = fleet;
    this.#streams = fleet.servers.map(({ index }) => streamOf(seed, Purpose.antagonist, index));
    this.#on = fleet.servers.map(() => false);
  }

  /** Starts in the steady state: on with the probability that it has in the long run. */
  begin(put: (timeMs: number, server: number) => void): void {
    for (const server of this.#fleet.servers) {
      const antagonist = this.#fleet.antagonists[server.index];
      if (antagonist === undefined) continue;
      const { onMs, offMs } = antagonist;
      const stream = this.#streams[server.index] as Stream;
      // The turn below puts it into the state drawn here.
      this.#on[server.index] = stream.unit() * (onMs + offMs) >= onMs;
      put(this.turn(server, 0), server.index);
    }
  }

  /** Starts or stops the antagonist of a server. @returns when it does so next */
  turn(server: Server, nowMs: number): number {
    const antagonist = this.#fleet.antagonists[server.index];
    if (antagonist === undefined) return Number.POSITIVE_INFINITY;
    const on = this.#on[server.index] !== true;
    this.#on[server.index] = on;
    server.take(on ? antagonist.takesRatio * server.cores : 0, nowMs);
    const meanMs = on ? antagonist.onMs : antagonist.offMs;
    return nowMs + (this.#streams[server.index] as Stream).exponential(meanMs);
  }
}
