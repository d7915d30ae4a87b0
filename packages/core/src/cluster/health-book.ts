import type {
  ActiveHealthListener,
  ActiveHealthVerdict,
  Ejection,
  EjectionReturn,
  OutlierDetector,
  OutlierListener,
  SkippedEjection,
} from '../health/health.ts';
import { DEGRADED, HealthFlag, isEligible } from '../model/health-state.ts';
import type { Member } from './member.ts';
import type { Membership } from './membership.ts';
import type { Reporter } from './reporter.ts';
import type { WarmUp } from './warm-up.ts';

/** A flag to set or to clear, and why. */
export interface FlagChange {
  readonly on: boolean;
  readonly reason: string;
}

const RETURN_REASONS: Readonly<Record<EjectionReturn, string>> = {
  trial: 'a trial request succeeded',
  'active-check': 'an active check succeeded',
  time: 'the ejection time is over',
};

/** Keeps the health flags of all members: the checker, the detector and operators each set their own bits here. */
export class HealthBook implements ActiveHealthListener, OutlierListener {
  /** Set after construction, because the detector itself reports here. */
  detector: OutlierDetector | undefined;
  /** Hears of members that come back; undefined: there is no slow start. */
  warmUp: WarmUp | undefined;

  readonly #membership: Membership;
  readonly #reporter: Reporter;
  readonly #onChange: () => void;

  /** @param onChange asks for a publication */
  constructor(membership: Membership, reporter: Reporter, onChange: () => void) {
    this.#membership = membership;
    this.#reporter = reporter;
    this.#onChange = onChange;
  }

  /** Sets or clears one flag; reports and asks for a publication when the state of the member changes. */
  set(member: Member, flag: number, change: FlagChange): void {
    const flags = change.on ? member.flags | flag : member.flags & ~flag;
    if (flags === member.flags) return;
    const from = member.state;
    member.flags = flags;
    // Clearing one flag of several leaves the reason of the others standing; being degraded is none beside a worse one.
    const decides = (flag & DEGRADED) === 0 || member.state !== from;
    if (change.on ? decides : isEligible(flags)) member.reason = change.reason;
    if (member.state !== from) this.#reporter.healthChanged(member, from);
    this.#onChange();
  }

  /** Discovery has listed these. */
  onListed(members: readonly Member[]): void {
    for (const member of members) {
      const on = member.endpoint.degraded;
      const reason = on ? 'degraded, says discovery' : 'no longer degraded, says discovery';
      this.set(member, HealthFlag.listedDegraded, { on, reason });
    }
    this.warmUp?.onListed(members);
  }

  onActiveHealth(slot: number, verdict: ActiveHealthVerdict): void {
    const member = this.#membership.at(slot);
    if (member === undefined) return;
    const { healthy, degraded = false, reason } = verdict;
    if (healthy) this.warmUp?.onHealthy(member, member.has(HealthFlag.failedActiveCheck));
    this.set(member, HealthFlag.failedActiveCheck, { on: !healthy, reason });
    this.set(member, HealthFlag.reportsDegraded, { on: degraded, reason });
    this.set(member, HealthFlag.unchecked, { on: false, reason });
    this.detector?.onActiveHealth(slot, healthy);
  }

  /** A member is not checked any more: what checks have found goes stale. @param flags of one never checked */
  forgetActiveHealth(member: Member, flags: number): void {
    const reason = 'outside of the aperture';
    this.set(member, HealthFlag.failedActiveCheck, { on: false, reason });
    this.set(member, HealthFlag.reportsDegraded, { on: false, reason });
    if (flags !== 0) this.set(member, flags, { on: true, reason });
  }

  onEject(slot: number, ejection: Ejection): void {
    const member = this.#membership.at(slot);
    if (member === undefined) return;
    this.#reporter.ejected(member, ejection);
    this.set(member, HealthFlag.ejected, { on: true, reason: ejection.reason });
  }

  onEjectionSkipped(slot: number, ejection: SkippedEjection): void {
    const member = this.#membership.at(slot);
    if (member !== undefined) this.#reporter.ejectionSkipped(member, ejection);
  }

  onReturn(slot: number, how: EjectionReturn): void {
    const member = this.#membership.at(slot);
    if (member !== undefined)
      this.set(member, HealthFlag.ejected, { on: false, reason: RETURN_REASONS[how] });
  }
}
