import type { Outcome } from '../../model/outcome.ts';
import type { TryRefusalReason } from '../../resilience/admission-snapshot.ts';
import type { EndpointAdmissionSnapshot } from '../../resilience/admission-snapshot.ts';
import type { Circuit } from '../../resilience/circuit.ts';
import type { ConcurrencyLimiter } from '../../resilience/concurrency/limiter.ts';
import type { Member } from '../member.ts';

/** The circuit and the limit of one endpoint, and who is inside. */
export class EndpointGuard {
  readonly member: Member;
  readonly circuit: Circuit | undefined;
  readonly limiter: ConcurrencyLimiter | undefined;
  activeCount = 0;
  /** What of its limit stands in the sum of all. */
  countedLimit = 0;
  refusedCount = 0;
  /** Why the last try was refused. */
  lastRefusal: TryRefusalReason = 'concurrency-limit';

  constructor(
    member: Member,
    circuit: Circuit | undefined,
    limiter: ConcurrencyLimiter | undefined,
  ) {
    this.member = member;
    this.circuit = circuit;
    this.limiter = limiter;
  }

  tryEnter(nowMs: number): boolean {
    const { circuit, limiter } = this;
    if (circuit !== undefined && !circuit.tryEnter(nowMs)) return this.#refuse('circuit-open');
    if (limiter !== undefined && !limiter.tryAcquire()) {
      circuit?.giveBack();
      return this.#refuse('concurrency-limit');
    }
    this.activeCount++;
    return true;
  }

  /** @returns whether somebody was inside. Four numbers: no allocation per try. */
  // oxlint-disable-next-line max-params
  leave(outcome: Outcome, latencyMs: number, nowMs: number, enteredMs: number): boolean {
    if (this.activeCount === 0) return false;
    this.activeCount--;
    this.limiter?.release(outcome, latencyMs, nowMs);
    this.circuit?.leave(outcome, enteredMs);
    return true;
  }

  /** Why a try would be refused now, in a clause; undefined when it would not. Changes nothing. */
  get whyNot(): string | undefined {
    const { circuit, limiter } = this;
    if (circuit?.state === 'open') return 'circuit open';
    if (circuit !== undefined && !circuit.admits)
      return 'circuit half-open, its trial is under way';
    if (limiter !== undefined && limiter.remaining === 0)
      return `concurrency limit reached: ${limiter.inFlight} in flight`;
    return undefined;
  }

  snapshot(): EndpointAdmissionSnapshot {
    return {
      circuit: this.circuit?.state,
      limit: this.limiter?.limit,
      activeCount: this.activeCount,
      refusedCount: this.refusedCount,
    };
  }

  close(): void {
    this.circuit?.close();
  }

  #refuse(reason: TryRefusalReason): false {
    this.refusedCount++;
    this.lastRefusal = reason;
    return false;
  }
}
