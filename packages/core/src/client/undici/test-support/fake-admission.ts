/** An admission that refuses what the test says and counts whether everything that began has ended. */
import type { Outcome } from '../../../model/outcome.ts';
import { OUTCOME_NAMES } from '../../../model/outcome.ts';
import { AdmissionError } from '../../../resilience/admission-error.ts';
import type { Admission } from '../../../resilience/admission.ts';
import type { Criticality } from '../../../resilience/load-shedder.ts';

export class FakeAdmission implements Admission {
  /** What happened to whole requests and to tries: `admit 2`, `enter 0`, `leave 0 success`, `complete success`. */
  readonly log: string[] = [];
  /** What is going on now. */
  readonly open = { requests: 0, tries: 0, extra: 0, pending: 0, connections: 0 };
  refuseAll = false;
  readonly closedSlots = new Set<number>();
  readonly limits = { extra: Infinity, pending: Infinity, connections: Infinity };

  admit(_nowMs: number, criticality?: Criticality): AdmissionError | undefined {
    if (this.refuseAll) return new AdmissionError('circuit-open', { cluster: 'users' });
    this.open.requests++;
    this.log.push(`admit ${criticality ?? '-'}`);
    return undefined;
  }

  complete(outcome: Outcome): void {
    this.open.requests--;
    this.log.push(`complete ${OUTCOME_NAMES[outcome]}`);
  }

  enter(slot: number): boolean {
    if (this.closedSlots.has(slot)) {
      this.log.push(`refuse ${slot}`);
      return false;
    }
    this.open.tries++;
    this.log.push(`enter ${slot}`);
    return true;
  }

  leave(slot: number, outcome: Outcome): void {
    this.open.tries--;
    this.log.push(`leave ${slot} ${OUTCOME_NAMES[outcome]}`);
  }

  refusal(slot: number): AdmissionError {
    return new AdmissionError('circuit-open', { cluster: 'users', subject: `slot ${slot}` });
  }

  tryExtra(): boolean {
    return this.#try('extra');
  }

  endExtra(): void {
    this.open.extra--;
  }

  tryPending(): boolean {
    return this.#try('pending');
  }

  endPending(): void {
    this.open.pending--;
  }

  tryConnection(): boolean {
    return this.#try('connections');
  }

  endConnection(): void {
    this.open.connections--;
  }

  #try(what: 'extra' | 'pending' | 'connections'): boolean {
    if (this.open[what] >= this.limits[what]) return false;
    this.open[what]++;
    return true;
  }
}
