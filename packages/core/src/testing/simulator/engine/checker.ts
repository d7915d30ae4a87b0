import type {
  ActiveHealthChecker,
  ActiveHealthListener,
  ActiveHealthStatus,
  HealthEnvironment,
  TrackedEndpoint,
} from '../../../health/health.ts';
import type { ActiveHealthConfig } from '../../../health/active/config.ts';
import { nextStanding, UNKNOWN_STANDING } from '../../../health/active/rise-fall.ts';
import { firstDelayMs, nextIntervalMs, phaseOf } from '../../../health/active/schedule.ts';
import type { Timer } from '../../../runtime/scheduler.ts';
import type { Server } from './server.ts';

export interface SimulatedCheckerParts {
  readonly config: ActiveHealthConfig;
  readonly environment: HealthEnvironment;
  readonly listener: ActiveHealthListener;
  serverOf(endpointId: string): Server | undefined;
  /** One way to a server. */
  delayTo(server: Server): number;
}

interface Watch {
  readonly endpointId: string;
  status: ActiveHealthStatus;
  degraded: boolean;
  timer: Timer | undefined;
}

/**
 * Active checks of one client: rhythm, rise and fall are the real ones, what a check finds is a model. It takes a round
 * trip and fails where nobody listens, or after its time limit where a server hangs. A server whose answers to requests
 * are slow or bad passes: checks ask a page of their own, which knows nothing of that.
 *
 * The real checks are promises, which virtual time does not wait for; hence a checker and not a check.
 */
export class SimulatedChecker implements ActiveHealthChecker {
  readonly #parts: SimulatedCheckerParts;
  readonly #seed: number;
  readonly #watches = new Map<number, Watch>();

  constructor(parts: SimulatedCheckerParts) {
    this.#parts = parts;
    this.#seed = parts.environment.runtime.random.nextInt32();
  }

  update(endpoints: readonly TrackedEndpoint[]): void {
    const ids = new Map(endpoints.map(({ slot, endpoint }) => [slot, endpoint.id]));
    for (const [slot, { endpointId, timer }] of this.#watches) {
      if (ids.get(slot) === endpointId) continue;
      timer?.cancel();
      this.#watches.delete(slot);
    }
    for (const [slot, endpointId] of ids) {
      if (!this.#watches.has(slot)) this.#watch(slot, endpointId);
    }
  }

  status(slot: number): ActiveHealthStatus | undefined {
    return this.#watches.get(slot)?.status;
  }

  close(): Promise<void> {
    for (const { timer } of this.#watches.values()) timer?.cancel();
    this.#watches.clear();
    return Promise.resolve();
  }

  #watch(slot: number, endpointId: string): void {
    const { config, environment } = this.#parts;
    const watch: Watch = { endpointId, status: UNCHECKED, degraded: false, timer: undefined };
    this.#watches.set(slot, watch);
    const phase = phaseOf(environment.cluster, endpointId, this.#seed);
    this.#after(watch, firstDelayMs(config, phase, environment.runtime.random), () =>
      this.#check(slot, watch),
    );
  }

  #check(slot: number, watch: Watch): void {
    const { config, environment } = this.#parts;
    const server = this.#parts.serverOf(watch.endpointId);
    const oneWayMs = server === undefined ? 0 : this.#parts.delayTo(server);
    this.#after(watch, oneWayMs, () => {
      const hangs = server !== undefined && !server.refusing && server.presentSpeed === 0;
      const late = hangs || 2 * oneWayMs > config.timeoutMs;
      const passed = server !== undefined && !server.refusing && !late;
      const degraded = server?.degraded ?? false;
      const durationMs = late ? config.timeoutMs : 2 * oneWayMs;
      this.#after(watch, durationMs - oneWayMs, () => {
        this.#record(slot, watch, { passed, late, degraded, durationMs });
        const { random } = environment.runtime;
        const intervalMs = nextIntervalMs(config, watch.status.healthy, random);
        this.#after(watch, Math.max(0, intervalMs - durationMs), () => this.#check(slot, watch));
      });
    });
  }

  #record(slot: number, watch: Watch, { passed, late, degraded, durationMs }: Finding): void {
    const { config, listener } = this.#parts;
    const before = watch.status;
    const degradedBefore = watch.degraded;
    const reason = passed ? 'passed' : late ? 'timed out' : 'connection refused';
    watch.status = {
      ...nextStanding(before, passed, config),
      reason,
      checkCount: before.checkCount + 1,
      failureCount: before.failureCount + (passed ? 0 : 1),
      lastDurationMs: durationMs,
    };
    if (passed) watch.degraded = degraded;
    const { healthy } = watch.status;
    if (healthy === undefined) return;
    if (healthy !== before.healthy || watch.degraded !== degradedBefore)
      listener.onActiveHealth(slot, { healthy, reason, degraded: watch.degraded });
  }

  #after(watch: Watch, delayMs: number, task: () => void): void {
    watch.timer = this.#parts.environment.runtime.scheduler.after(delayMs, task);
  }
}

interface Finding {
  readonly passed: boolean;
  readonly late: boolean;
  readonly degraded: boolean;
  readonly durationMs: number;
}

const UNCHECKED: ActiveHealthStatus = Object.freeze({
  ...UNKNOWN_STANDING,
  reason: 'not checked yet',
  checkCount: 0,
  failureCount: 0,
  lastDurationMs: undefined,
});
