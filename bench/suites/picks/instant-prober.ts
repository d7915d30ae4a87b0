import type { Endpoint, Prober, ProbeListener } from '@evenkeel/core';

/** Endpoints that answer probes before the next request: what remains is what the policy makes of the answers. */
export class InstantProber implements Prober {
  readonly #slots: number[] = [];
  readonly #endpoints: Endpoint[] = [];
  readonly #answer = { requestsInFlight: 0, latencyMs: 0, errorRatio: 0 };
  #listener: ProbeListener | undefined = undefined;
  #turn = 0;

  probe(slot: number, endpoint: Endpoint, listener: ProbeListener): boolean {
    this.#slots.push(slot);
    this.#endpoints.push(endpoint);
    this.#listener = listener;
    return true;
  }

  /** Answers all that were asked. */
  answer(nowMs: number): void {
    const answer = this.#answer;
    while (this.#slots.length > 0) {
      const turn = this.#turn++;
      answer.requestsInFlight = turn & 7;
      answer.latencyMs = 20 + (turn & 31);
      const endpoint = this.#endpoints.pop() as Endpoint;
      this.#listener?.onProbeAnswer(this.#slots.pop() as number, endpoint, answer, nowMs);
    }
  }

  close(): void {
    this.#slots.length = 0;
    this.#endpoints.length = 0;
  }
}
