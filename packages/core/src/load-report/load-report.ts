/**
 * What an endpoint tells about its load: the message `xds.data.orca.v3.OrcaLoadReport` of ORCA (gRFC A51) in the words
 * of this library. As in the message, a number of 0 stands for "not told".
 */
export interface LoadReport {
  /** CPU in use as a share of the CPU there is, 0 and up: above 1 where the endpoint has a soft limit. */
  readonly cpuUtilization: number;
  /** Memory in use as a share of the memory there is, 0 and up. */
  readonly memoryUtilization: number;
  /** The endpoint's own idea of how busy it is, 0 and up. Where it is told, it goes before the CPU. */
  readonly applicationUtilization: number;
  /** Requests per second that the endpoint serves, whoever sends them. */
  readonly requestsPerSecond: number;
  /** Those of them that fail. */
  readonly errorsPerSecond: number;
  /** Further resources by name, each as a share of what there is. */
  readonly utilization: NamedValues;
  /** What this one request cost, by name, in units of the application's choice. */
  readonly requestCost: NamedValues;
  /** Whatever else the application says, by name. */
  readonly namedMetrics: NamedValues;
}

export type NamedValues = ReadonlyMap<string, number>;

export const NO_VALUES: NamedValues = new Map();

/** A report that says nothing. */
export const EMPTY_LOAD_REPORT: LoadReport = Object.freeze({
  cpuUtilization: 0,
  memoryUtilization: 0,
  applicationUtilization: 0,
  requestsPerSecond: 0,
  errorsPerSecond: 0,
  utilization: NO_VALUES,
  requestCost: NO_VALUES,
  namedMetrics: NO_VALUES,
});

/** A report with some fields, the others not told. */
export function createLoadReport(parts: Partial<LoadReport>): LoadReport {
  return { ...EMPTY_LOAD_REPORT, ...parts };
}

/**
 * Named metrics that this library's servers send and its policies understand. ORCA has no field for either: a server
 * that is not ours may well send them too.
 */
export const Metric = {
  /** Requests that the endpoint has at this moment, without the one that the report comes with. */
  requestsInFlight: 'rif',
  /** Time in milliseconds that a request would take if it came now. */
  latencyMs: 'latency_ms',
} as const;

/** How busy the endpoint is, as gRFC A58 reads it: by its own account, else by its CPU. 0: not told. */
export function utilizationOf(report: LoadReport): number {
  return report.applicationUtilization > 0 ? report.applicationUtilization : report.cpuUtilization;
}

/** Where servers of this library answer probes, unless told otherwise. */
export const PROBE_PATH = '/.evenkeel/probe';

/** What an endpoint says of itself when it is asked, apart from any request. */
export interface ProbeAnswer {
  /** Requests that it has at this moment, from all clients, without the probe. 0 and up. */
  readonly requestsInFlight: number;
  /** Time in milliseconds that a request would take if it came now. 0: not known yet. */
  readonly latencyMs: number;
  /** Share 0..1 of its latest requests that failed. */
  readonly errorRatio: number;
}

/** Larger numbers are lies or accidents: a hundred days of milliseconds, more requests than there are ports. */
const MAX_ANSWER_NUMBER = 1e10;

/** Are the numbers of an answer ones that can be? Whoever takes an answer from outside asks that first. */
export function isSaneAnswer({ requestsInFlight, latencyMs, errorRatio }: ProbeAnswer): boolean {
  return isCount(requestsInFlight) && isCount(latencyMs) && errorRatio >= 0 && errorRatio <= 1;
}

function isCount(value: number): boolean {
  return value >= 0 && value <= MAX_ANSWER_NUMBER;
}

/** What an answer to a probe would have said, by a report; undefined when it does not tell the requests in flight. */
export function answerOfReport(report: LoadReport): ProbeAnswer | undefined {
  const { namedMetrics, requestsPerSecond, errorsPerSecond } = report;
  const requestsInFlight = namedMetrics.get(Metric.requestsInFlight);
  if (requestsInFlight === undefined) return undefined;
  const latencyMs = namedMetrics.get(Metric.latencyMs) ?? 0;
  const errorRatio = requestsPerSecond > 0 ? Math.min(1, errorsPerSecond / requestsPerSecond) : 0;
  const answer = { requestsInFlight, latencyMs, errorRatio };
  return isSaneAnswer(answer) ? answer : undefined;
}
