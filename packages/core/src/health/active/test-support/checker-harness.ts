import { createEndpoint, type Endpoint, type EndpointInput } from '../../../model/endpoint.ts';
import { createManualRuntime } from '../../../testing/manual-runtime.ts';
import type { TrackedEndpoint } from '../../health.ts';
import { type CheckResult, failed, passed } from '../check.ts';
import { EndpointChecker } from '../checker.ts';
import { type TcpCheckOptions, tcpCheckSchema } from '../tcp-config.ts';
import { OpenSockets } from '../open-sockets.ts';

export interface StartedCheck {
  readonly endpoint: Endpoint;
  readonly atMs: number;
}

export interface CheckerHarnessOptions extends TcpCheckOptions {
  /** How long a check of this endpoint takes. Default 0. */
  readonly durationMs?: (endpoint: Endpoint) => number;
  /** What the check finds. Default: it passes. */
  readonly passes?: (endpoint: Endpoint) => boolean;
  readonly seed?: number;
}

/** A checker under a manual clock whose checks are make-believe. */
export function setUpChecker({ durationMs, passes, seed, ...options }: CheckerHarnessOptions = {}) {
  const runtime = createManualRuntime(seed === undefined ? {} : { seed });
  const started: StartedCheck[] = [];
  const verdicts: string[] = [];
  const closedChecks: string[] = [];
  let runningCount = 0;
  let mostRunning = 0;
  const checker = new EndpointChecker({
    config: tcpCheckSchema.parse({ jitterRatio: 0, ...options }),
    environment: { cluster: 'test', runtime },
    sockets: new OpenSockets(),
    listener: {
      onActiveHealth: (slot, { healthy, reason }) => {
        verdicts.push(
          `${slot} ${healthy ? 'healthy' : 'unhealthy'} (${reason}) @${runtime.clock.nowMs()}`,
        );
      },
    },
    createCheck: (endpoint) => ({
      run: (signal) =>
        new Promise<CheckResult>((resolve) => {
          started.push({ endpoint, atMs: runtime.clock.nowMs() });
          mostRunning = Math.max(mostRunning, ++runningCount);
          const end = (result: CheckResult): void => {
            runningCount--;
            timer?.cancel();
            resolve(result);
          };
          const result = (): CheckResult =>
            (passes?.(endpoint) ?? true) ? passed('fine') : failed('broken');
          const takesMs = durationMs?.(endpoint) ?? 0;
          const timer =
            takesMs === 0 ? undefined : runtime.scheduler.after(takesMs, () => end(result()));
          signal.addEventListener('abort', () => end(failed('aborted')));
          if (takesMs === 0) end(result());
        }),
      close: () => void closedChecks.push(endpoint.id),
    }),
  });
  return {
    runtime,
    checker,
    started,
    verdicts,
    closedChecks,
    get runningCount() {
      return runningCount;
    },
    get mostRunning() {
      return mostRunning;
    },
    advance: (ms: number): Promise<void> => runtime.scheduler.advanceAsync(ms),
    /** When checks of a slot's endpoint began. */
    startsOf: (id: string): number[] =>
      started.filter(({ endpoint }) => endpoint.id === id).map(({ atMs }) => atMs),
  };
}

/** Endpoints in slots 0, 1, 2 ... */
export function track(...inputs: readonly EndpointInput[]): TrackedEndpoint[] {
  return inputs.map((input, slot) => ({ slot, endpoint: createEndpoint(input) }));
}
