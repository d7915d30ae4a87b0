/**
 * Asking endpoints how busy they are, apart from the requests that they serve: the port through which a policy probes.
 * A cluster probes over HTTP; the simulator has servers that answer in virtual time; a program may bring its own.
 */
import type { Endpoint } from '../model/endpoint.ts';

/** Where servers of this library answer probes, unless told otherwise. */
export const DEFAULT_PROBE_PATH = '/.evenkeel/probe';

/** What an endpoint says of itself when it is asked. */
export interface ProbeAnswer {
  /** Requests that it has at this moment, from all clients, without the probe. 0 and up. */
  readonly requestsInFlight: number;
  /** Time in milliseconds that a request would take if it came now. 0: not known yet. */
  readonly latencyMs: number;
  /** Share 0..1 of its latest requests that failed. */
  readonly errorRatio: number;
}

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
  /** Four parameters: an answer is kept by nobody, the prober may use its object again. */
  onProbeAnswer(slot: number, endpoint: Endpoint, answer: ProbeAnswer, nowMs: number): void;
  /** No answer in time, no connection, or something that is no answer. */
  onProbeFailure(slot: number, endpoint: Endpoint, nowMs: number): void;
}

/** How to probe: data, so that it can stand in a configuration. */
export interface ProbeConfig {
  /** Path with query that answers probes. */
  readonly path: string;
  /** Patience with one probe, in milliseconds. */
  readonly timeoutMs: number;
  /** Probes under way at the same time; more are not sent. */
  readonly maxConcurrent: number;
}

/** Makes the prober of one balancer. */
export type ProberFactory = (config: ProbeConfig) => Prober;
