import { messageOf } from '../../error/evenkeel-error.ts';
import { formatAddress } from '../../model/address.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Timer } from '../../runtime/scheduler.ts';
import type { ActiveHealthListener, ActiveHealthStatus, TrackedEndpoint } from '../health.ts';
import { type CheckFactory, type CheckResult, failed, type HealthCheck } from './check.ts';
import type { CheckQueue, QueuedRun } from './check-queue.ts';
import { nextStanding, UNKNOWN_STANDING } from './rise-fall.ts';
import { firstDelayMs, nextIntervalMs, phaseOf } from './schedule.ts';
import type { CheckTimingConfig } from './timing-config.ts';

/** What all monitors of a cluster share. */
export interface MonitorEnvironment {
  readonly cluster: string;
  readonly runtime: Runtime;
  readonly config: CheckTimingConfig;
  readonly createCheck: CheckFactory;
  readonly queue: CheckQueue;
  readonly listener: ActiveHealthListener;
  /** Number of this process, which sets its rhythm apart from that of others. */
  readonly seed: number;
}

/**
 * Checks one endpoint for as long as it is a member.
 *
 * ```text
 * timer --due--> queue --turn--> check --result--> standing --changed?--> listener
 *   ^                                     |
 *   '------ one interval after the start -'   so a slow check never meets its successor
 * ```
 */
export class EndpointMonitor implements QueuedRun {
  readonly slot: number;
  readonly #environment: MonitorEnvironment;
  #endpoint: Endpoint;
  #check: HealthCheck;
  #timer: Timer | undefined;
  #running: AbortController | undefined;
  #closed = false;

  // What is known of the endpoint. Stays when the endpoint moves to another address: identity is the id.
  #standing = UNKNOWN_STANDING;
  #degraded = false;
  #reason = 'not checked yet';
  #checkCount = 0;
  #failureCount = 0;
  #lastDurationMs: number | undefined;

  constructor(tracked: TrackedEndpoint, environment: MonitorEnvironment) {
    this.slot = tracked.slot;
    this.#environment = environment;
    this.#endpoint = tracked.endpoint;
    this.#check = environment.createCheck(tracked.endpoint);
    this.#scheduleFirst();
  }

  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  get status(): ActiveHealthStatus {
    return {
      ...this.#standing,
      reason: this.#reason,
      checkCount: this.#checkCount,
      failureCount: this.#failureCount,
      lastDurationMs: this.#lastDurationMs,
    };
  }

  /**
   * Takes the endpoint's new properties. What is known of it stays; if it is to be reached elsewhere, a check under
   * way is dropped and the next one comes soon.
   */
  retarget(endpoint: Endpoint): void {
    const old = this.#endpoint;
    this.#endpoint = endpoint;
    if (old === endpoint || isReachedAlike(old, endpoint)) return;
    this.#stopChecking();
    this.#check = this.#environment.createCheck(endpoint);
    this.#scheduleFirst();
  }

  /**
   * Called by the queue when it is this endpoint's turn. The interval is counted from here and not from the time when
   * the check was due: if checks have to wait in line, all of them slow down instead of piling up.
   */
  async run(): Promise<void> {
    const { clock } = this.#environment.runtime;
    const running = new AbortController();
    this.#running = running;
    const startedMs = clock.nowMs();
    const result = await runSafely(this.#check, running.signal);
    // Dropped meanwhile: closed, or another check has taken over.
    if (this.#running !== running) return;
    this.#running = undefined;
    const endedMs = clock.nowMs();
    this.#lastDurationMs = endedMs - startedMs;
    this.#record(result);
    // The listener may have closed this monitor or sent it elsewhere.
    if (this.#closed || this.#timer !== undefined) return;
    const { config, runtime } = this.#environment;
    const intervalMs = nextIntervalMs(config, this.#standing.healthy, runtime.random);
    this.#schedule(Math.max(0, startedMs + intervalMs - endedMs));
  }

  close(): void {
    this.#closed = true;
    this.#stopChecking();
  }

  #record({ passed, reason, degraded = false }: CheckResult): void {
    const before = this.#standing.healthy;
    const degradedBefore = this.#degraded;
    this.#standing = nextStanding(this.#standing, passed, this.#environment.config);
    // A single failure says nothing about it.
    if (passed) this.#degraded = degraded;
    this.#reason = reason;
    this.#checkCount++;
    if (!passed) this.#failureCount++;
    const { healthy } = this.#standing;
    if (healthy === undefined) return;
    if (healthy !== before || this.#degraded !== degradedBefore) {
      const verdict = this.#degraded ? { healthy, reason, degraded: true } : { healthy, reason };
      this.#environment.listener.onActiveHealth(this.slot, verdict);
    }
  }

  #scheduleFirst(): void {
    const { cluster, config, runtime, seed } = this.#environment;
    const phase = phaseOf(cluster, this.#endpoint.id, seed);
    this.#schedule(firstDelayMs(config, phase, runtime.random));
  }

  #schedule(delayMs: number): void {
    const { runtime, queue } = this.#environment;
    this.#timer = runtime.scheduler.after(delayMs, () => {
      this.#timer = undefined;
      queue.enter(this);
    });
  }

  #stopChecking(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#environment.queue.leave(this);
    const running = this.#running;
    // First forgotten, then aborted: the result of the abort says nothing about the endpoint.
    this.#running = undefined;
    running?.abort();
    this.#check.close();
  }
}

/** A check keeps its promise not to reject; if one does not, its endpoint fails and the rest goes on. */
async function runSafely(check: HealthCheck, signal: AbortSignal): Promise<CheckResult> {
  try {
    return await check.run(signal);
  } catch (error) {
    return failed(messageOf(error));
  }
}

function isReachedAlike(a: Endpoint, b: Endpoint): boolean {
  return a.hostname === b.hostname && formatAddress(a.address) === formatAddress(b.address);
}
