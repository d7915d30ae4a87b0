import { LatencyByLoad } from '../../../load-report/latency-by-load.ts';
import { createLoadReport, type LoadReport, Metric } from '../../../load-report/load-report.ts';
import type { ProbeAnswer } from '../../../policy/probing.ts';
import type { Server } from './server.ts';

/** The cost of one request, by name, in milliseconds from its arrival at the server to its answer. */
const SERVICE_TIME = 'service_ms';

/**
 * What a server can tell of its load, with an answer (ORCA) or when it is probed (Prequal): what the middleware for real
 * servers tells, from the same estimate of latency. Exists only when some client wants to hear of it.
 */
export class LoadMonitor {
  readonly #server: Server;
  readonly #latency: LatencyByLoad;

  constructor(server: Server) {
    this.#server = server;
    this.#latency = new LatencyByLoad();
  }

  /** A request ended well. @param others in flight when it came */
  record(serviceTimeMs: number, others: number): void {
    this.#latency.record(serviceTimeMs, others);
  }

  /** What goes out with an answer. */
  report(serviceTimeMs: number, nowMs: number): LoadReport {
    const server = this.#server;
    server.settle(nowMs);
    const { cpuUtilization, queriesPerSecond, errorsPerSecond } = server.meter.read(server.cores);
    return createLoadReport({
      cpuUtilization,
      requestsPerSecond: queriesPerSecond,
      errorsPerSecond,
      requestCost: new Map([[SERVICE_TIME, serviceTimeMs]]),
      namedMetrics: new Map([
        [Metric.requestsInFlight, server.runningCount],
        [Metric.latencyMs, this.#latency.estimateMs(server.runningCount)],
      ]),
    });
  }

  /** What a probe hears. */
  answer(nowMs: number): ProbeAnswer {
    const server = this.#server;
    server.settle(nowMs);
    const { queriesPerSecond, errorsPerSecond } = server.meter.read(server.cores);
    return {
      requestsInFlight: server.runningCount,
      latencyMs: this.#latency.estimateMs(server.runningCount),
      errorRatio: queriesPerSecond > 0 ? errorsPerSecond / queriesPerSecond : 0,
    };
  }
}
