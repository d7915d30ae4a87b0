import type { OutlierDetector } from '../../health/health.ts';
import type { CircuitChange } from '../../model/circuit-state.ts';
import { HealthFlag } from '../../model/health-state.ts';
import { Outcome } from '../../model/outcome.ts';
import type { HealthBook } from '../health-book.ts';
import type { Member } from '../member.ts';
import type { Membership } from '../membership.ts';
import type { Publisher } from '../publisher.ts';
import type { Reporter } from '../reporter.ts';
import type { AdmissionHost } from './cluster-admission.ts';

/** The parts of a cluster that its admission sees, and those that hear of it. */
export interface AdmissionSurroundings {
  readonly membership: Membership;
  readonly publisher: Publisher;
  readonly health: HealthBook;
  readonly reporter: Reporter;
  readonly outlier: OutlierDetector | undefined;
}

/** An open circuit is a matter of health; a refused try may have been a trial. */
export function admissionHostOf({
  membership,
  publisher,
  health,
  reporter,
  outlier,
}: AdmissionSurroundings): AdmissionHost {
  return {
    memberAt: (slot) => membership.at(slot),
    takingCount: () => {
      const { panics, candidateCount, healthyCount } = publisher.current;
      return panics.size > 0 ? candidateCount : healthyCount;
    },
    onCircuitChanged: (member: Member | undefined, change: CircuitChange) => {
      if (change.to === 'shutdown') return;
      reporter.circuitChanged(member, change);
      if (member === undefined) return;
      health.set(member, HealthFlag.circuitOpen, {
        on: change.to === 'open',
        reason: `circuit ${change.to}: ${change.reason}`,
      });
    },
    onTryRefused: ({ slot, flags }, nowMs) => {
      // If it was the trial of an ejected endpoint, that has not taken place.
      if ((flags & HealthFlag.ejected) !== 0) outlier?.record(slot, Outcome.cancelled, nowMs);
    },
  };
}
