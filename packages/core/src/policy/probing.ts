/**
 * Asking endpoints how busy they are, apart from the requests that they serve: the port through which a policy probes.
 * A cluster probes over HTTP; the simulator has servers that answer in virtual time; a program may bring its own.
 */
import type { ProbeAnswer } from '../load-report/load-report.ts';
import type { Endpoint } from '../model/endpoint.ts';

export type { ProbeAnswer } from '../load-report/load-report.ts';

/** Sends probes. */
export interface Prober {
  /**
   * Asks an endpoint. The listener hears the answer or the failure later, once and never during this call, unless the
   * prober is closed before. Does not throw.
   *
   * @returns false when it declines, as too many probes are under way; the listener then hears nothing
   */
  probe(slot: number, endpoint: Endpoint, listener: ProbeListener): boolean;
  /** Gives up what is under way. Idempotent. */
  close(): void;
}

/** Hears of probes. The slot may belong to another endpoint by then: compare the endpoint. */
export interface ProbeListener {
  /** The answer is kept by nobody: the prober may use its object again. Four parameters, for the same reason. */
  onProbeAnswer(slot: number, endpoint: Endpoint, answer: ProbeAnswer, nowMs: number): void;
  onProbeFailure(slot: number, endpoint: Endpoint, failure: ProbeFailure, nowMs: number): void;
}

/**
 * - `unreachable`: no connection, or no answer in time. Requests would fare no better.
 * - `not-understood`: an answer, but not to the question. Says nothing about the endpoint but that it does not know
 *   probes.
 */
export type ProbeFailure = 'unreachable' | 'not-understood';

/** How to probe: data, so that it can stand in a configuration. */
export interface ProbeConfig {
  /** Path with query that answers probes. */
  readonly path: string;
  /** Port that answers probes; undefined: that of the endpoint. */
  readonly port?: number | undefined;
  /** Over TLS? Certificates are checked against the system's authorities. Default false. */
  readonly tls?: boolean | undefined;
  /** Patience with one probe, in milliseconds. */
  readonly timeoutMs: number;
  /** Probes under way at the same time; more are not sent. */
  readonly maxConcurrent: number;
}

/** Makes the prober of one balancer. */
export type ProberFactory = (config: ProbeConfig) => Prober;
