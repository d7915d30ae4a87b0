/** The admission of a cluster as one request meets it: it lets it in, or not, and hears of its end. */
import type { Cluster, Outcome } from '@evenkeel/core';
import type { Admission } from '@evenkeel/core/resilience';

export class Entry {
  /** What has let the request in and has to hear of its end; undefined for most clusters. */
  admission: Admission | undefined = undefined;
  #enteredAtMs = 0;

  /** @returns the status of the refusal, or undefined when the request may go on */
  enter({ admission }: Cluster, nowMs: number): 429 | 503 | undefined {
    const refusal = admission?.admit(nowMs);
    if (refusal !== undefined) return refusal.reason === 'rate-limit' ? 429 : 503;
    this.admission = admission;
    this.#enteredAtMs = nowMs;
    return undefined;
  }

  /** The request is over, for this cluster. Idempotent. @param startedAtMs of its last try */
  leave(outcome: Outcome, startedAtMs: number, nowMs: number): void {
    const { admission } = this;
    if (admission === undefined) return;
    this.admission = undefined;
    admission.complete(outcome, nowMs - startedAtMs, nowMs, this.#enteredAtMs);
  }
}
