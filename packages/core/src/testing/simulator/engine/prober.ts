import type { Endpoint } from '../../../model/endpoint.ts';
import type { ProbeConfig, ProbeListener, Prober } from '../../../policy/probing.ts';
import type { Timer } from '../../../runtime/scheduler.ts';
import type { Server } from './server.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface SimulatedProberParts {
  readonly config: ProbeConfig;
  readonly time: VirtualTime;
  serverOf(endpointId: string): Server | undefined;
  /** One way to a server. */
  delayTo(server: Server): number;
}

/**
 * Probes of one client. A probe takes one round trip and costs the server nothing. Where nobody listens, it fails after
 * the round trip; a server that hangs takes it and lets it run into its time limit, like any other request.
 */
export class SimulatedProber implements Prober {
  readonly #parts: SimulatedProberParts;
  readonly #underWay = new Set<Timer>();

  constructor(parts: SimulatedProberParts) {
    this.#parts = parts;
  }

  probe(slot: number, endpoint: Endpoint, listener: ProbeListener): boolean {
    const { config, time } = this.#parts;
    const server = this.#parts.serverOf(endpoint.id);
    if (server === undefined || this.#underWay.size >= config.maxConcurrent) return false;
    const oneWayMs = this.#parts.delayTo(server);
    const fail = (): void => listener.onProbeFailure(slot, endpoint, 'unreachable', time.timeMs);
    this.#after(oneWayMs, () => {
      const { refusing, presentSpeed, monitor } = server;
      if (!refusing && (presentSpeed === 0 || 2 * oneWayMs > config.timeoutMs)) {
        this.#after(config.timeoutMs - oneWayMs, fail);
        return;
      }
      const answer = refusing ? undefined : monitor?.answer(time.timeMs);
      this.#after(oneWayMs, () => {
        if (answer === undefined) fail();
        else listener.onProbeAnswer(slot, endpoint, answer, time.timeMs);
      });
    });
    return true;
  }

  close(): void {
    for (const timer of this.#underWay) timer.cancel();
    this.#underWay.clear();
  }

  #after(delayMs: number, task: () => void): void {
    const timer = this.#parts.time.after(delayMs, () => {
      this.#underWay.delete(timer);
      task();
    });
    this.#underWay.add(timer);
  }
}
