import type {
  ActiveHealthChecker,
  ActiveHealthListener,
  ActiveHealthStatus,
  HealthEnvironment,
  TrackedEndpoint,
} from '../health.ts';
import type { CheckEnvironment, CheckFactory } from './check.ts';
import { CheckQueue } from './check-queue.ts';
import type { ActiveHealthConfig } from './config.ts';
import { createHttpChecks } from './http-check.ts';
import { EndpointMonitor, type MonitorEnvironment } from './monitor.ts';
import { OpenSockets } from './open-sockets.ts';
import { createTcpChecks } from './tcp-check.ts';
import type { CheckTimingConfig } from './timing-config.ts';

/**
 * Builds the active checks of a cluster. They begin with the first `update`.
 *
 * ```text
 * checker: one per cluster             knows who is checked
 *   '- monitor: one per endpoint       rhythm, rise and fall, status
 *        '- check: HTTP or TCP         one run at a time, always ends
 *   '- queue: shared                   how many run at once
 *   '- sockets: shared                 what has to be closed in the end
 * ```
 */
export function createActiveHealthChecker(
  config: ActiveHealthConfig,
  environment: HealthEnvironment,
  listener: ActiveHealthListener,
): ActiveHealthChecker {
  const sockets = new OpenSockets();
  const createCheck = createChecks(config, { runtime: environment.runtime, sockets });
  return new EndpointChecker({ config, environment, listener, createCheck, sockets });
}

function createChecks(config: ActiveHealthConfig, environment: CheckEnvironment): CheckFactory {
  switch (config.kind) {
    case 'http':
      return createHttpChecks(config, environment);
    case 'tcp':
      return createTcpChecks(config, environment);
  }
}

export interface EndpointCheckerParts {
  readonly config: CheckTimingConfig;
  readonly environment: HealthEnvironment;
  readonly listener: ActiveHealthListener;
  readonly createCheck: CheckFactory;
  readonly sockets: OpenSockets;
}

/** Keeps one monitor per endpoint while membership changes. Exported for tests that bring their own kind of check. */
export class EndpointChecker implements ActiveHealthChecker {
  readonly #environment: MonitorEnvironment;
  readonly #sockets: OpenSockets;
  #monitors = new Map<number, EndpointMonitor>();
  #closing: Promise<void> | undefined;

  constructor({ config, environment, listener, createCheck, sockets }: EndpointCheckerParts) {
    const { cluster, runtime } = environment;
    this.#sockets = sockets;
    this.#environment = {
      cluster,
      runtime,
      config,
      createCheck,
      listener,
      queue: new CheckQueue(config.maxConcurrentChecks),
      seed: runtime.random.nextInt32(),
    };
  }

  update(endpoints: readonly TrackedEndpoint[]): void {
    if (this.#closing !== undefined) return;
    const old = this.#monitors;
    const next = new Map<number, EndpointMonitor>();
    for (const tracked of endpoints) {
      const monitor = old.get(tracked.slot);
      // A slot may have passed to another endpoint, of which nothing is known yet.
      if (monitor !== undefined && monitor.endpoint.id === tracked.endpoint.id) {
        monitor.retarget(tracked.endpoint);
        next.set(tracked.slot, monitor);
        old.delete(tracked.slot);
      } else {
        next.set(tracked.slot, new EndpointMonitor(tracked, this.#environment));
      }
    }
    for (const monitor of old.values()) monitor.close();
    this.#monitors = next;
  }

  status(slot: number): ActiveHealthStatus | undefined {
    return this.#monitors.get(slot)?.status;
  }

  close(): Promise<void> {
    // The runs settle when they are aborted; their sockets are gone a little later, and that is what is waited for.
    if (this.#closing === undefined) {
      for (const monitor of this.#monitors.values()) monitor.close();
      this.#monitors.clear();
      this.#closing = this.#sockets.closeAll();
    }
    return this.#closing;
  }
}
