import type { Endpoint } from '../../model/endpoint.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { OpenSockets } from './open-sockets.ts';

/** What one check found. */
export interface CheckResult {
  readonly passed: boolean;
  /** "HTTP 200", "connect ECONNREFUSED", "timed out after 1000 ms (connecting)". */
  readonly reason: string;
  /** It passed, and the endpoint asks to be spared. Default false. */
  readonly degraded?: boolean;
}

/** How one endpoint is checked, again and again but never twice at the same time. */
export interface HealthCheck {
  /**
   * Runs once. Never rejects; settles within twice the timeout at the very latest, and at once when the signal
   * aborts. Leaves no socket open except the idle one of a check that reuses its connection.
   */
  run(signal: AbortSignal): Promise<CheckResult>;
  /** Closes what was kept for the next run. Idempotent. */
  close(): void;
}

/** Builds the check of an endpoint. */
export type CheckFactory = (endpoint: Endpoint) => HealthCheck;

/** What the factories work with. */
export interface CheckEnvironment {
  readonly runtime: Runtime;
  /** Every socket that a check opens is entered here. */
  readonly sockets: OpenSockets;
}

export function passed(reason: string): CheckResult {
  return { passed: true, reason };
}

/** Passed, by an endpoint that asks to be spared. */
export function passedDegraded(reason: string): CheckResult {
  return { passed: true, reason: `${reason}, degraded`, degraded: true };
}

export function failed(reason: string): CheckResult {
  return { passed: false, reason };
}

/** How much of an answer is looked at. More is cut off and does not speak against the endpoint. */
export const MAX_ANSWER_BYTES = 65_536;
