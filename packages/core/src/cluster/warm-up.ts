import { HealthFlag } from '../model/health-state.ts';
import type { Clock } from '../runtime/clock.ts';
import { type SlowStartConfig, slowStartFactor, slowStartStepMs } from '../topology/slow-start.ts';
import type { Member } from './member.ts';

/** Keeps the age of members for slow start. */
export class WarmUp {
  readonly #config: SlowStartConfig;
  readonly #clock: Clock;
  #hasListed = false;

  constructor(config: SlowStartConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  /** How often weights change while anyone warms up. */
  get stepMs(): number {
    return slowStartStepMs(this.#config);
  }

  /**
   * Takes the members of a new set. Those of the first one are warm: they were there before this client, which has no
   * reason to spare some of them. Later ones begin now, or when their first check has come back.
   */
  onListed(members: readonly Member[]): void {
    const nowMs = this.#clock.nowMs();
    for (const member of members) {
      if (member.warmsSinceMs !== undefined) continue;
      if (!this.#hasListed) member.warmsSinceMs = Number.NEGATIVE_INFINITY;
      else if (!member.has(HealthFlag.unchecked)) member.warmsSinceMs = nowMs;
    }
    if (members.length > 0) this.#hasListed = true;
  }

  /** An active check finds a member healthy. @param failedBefore had its checks failed until now? */
  onHealthy(member: Member, failedBefore: boolean): void {
    if (failedBefore || member.warmsSinceMs === undefined) {
      member.warmsSinceMs = this.#clock.nowMs();
    }
  }

  /** Part of its weight that a member gets now. */
  factorOf({ warmsSinceMs = Number.NEGATIVE_INFINITY }: Member): number {
    return warmsSinceMs === Number.NEGATIVE_INFINITY
      ? 1
      : slowStartFactor(this.#clock.nowMs() - warmsSinceMs, this.#config);
  }

  /** Is there a member whose weight still grows? */
  isAnyWarming(members: Iterable<Member>): boolean {
    for (const member of members) if (this.factorOf(member) < 1) return true;
    return false;
  }
}
