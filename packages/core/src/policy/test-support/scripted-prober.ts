import type { Endpoint } from '../../model/endpoint.ts';
import type { ProbeAnswer, ProbeFailure, ProbeListener, Prober } from '../probing.ts';

interface PendingProbe {
  readonly slot: number;
  readonly endpoint: Endpoint;
  readonly listener: ProbeListener;
}

/** A prober whose answers come when a test says so. */
export class ScriptedProber implements Prober {
  readonly pending: PendingProbe[] = [];
  /** Ids of all that were probed, in order. */
  readonly probed: string[] = [];
  /** Declines from so many under way on. */
  maxPending: number = Number.POSITIVE_INFINITY;
  closeCount = 0;

  probe(slot: number, endpoint: Endpoint, listener: ProbeListener): boolean {
    if (this.pending.length >= this.maxPending) return false;
    this.pending.push({ slot, endpoint, listener });
    this.probed.push(endpoint.id);
    return true;
  }

  /** Answers what is under way as the endpoint of each slot would; undefined leaves the probe without an answer. */
  answer(nowMs: number, answerOf: (slot: number) => ProbeAnswer | ProbeFailure | undefined): void {
    for (const probe of this.pending.splice(0)) {
      const { slot, endpoint, listener } = probe;
      const answer = answerOf(slot);
      if (answer === undefined) this.pending.push(probe);
      else if (typeof answer === 'string') listener.onProbeFailure(slot, endpoint, answer, nowMs);
      else listener.onProbeAnswer(slot, endpoint, answer, nowMs);
    }
  }

  close(): void {
    this.closeCount++;
    this.pending.length = 0;
  }
}
