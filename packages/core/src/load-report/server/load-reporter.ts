/**
 * The server's side of load reports for `node:http`: counts requests, measures the process, and puts the report of ORCA
 * into every answer.
 *
 * ```ts
 * const reporter = createLoadReporter();
 * createServer(reporter.wrap((request, response) => response.end('hello')));
 * ```
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { configError } from '../../error/config-error.ts';
import { systemClock, type Clock } from '../../runtime/clock.ts';
import { createProcessMeter } from '../../runtime/process-meter.ts';
import { decode } from '../../schema/decode.ts';
import { MAX_FIELD, MAX_REPORT_CHARACTERS } from '../bounds.ts';
import { encodeLoadReport, type LoadReportFormat } from '../encode.ts';
import { LatencyByLoad } from '../latency-by-load.ts';
import { createLoadReport, type LoadReport, Metric, type ProbeAnswer } from '../load-report.ts';
import { attachReport, type ReportPlacement } from './attach-report.ts';
import { type LoadReporterOptions, loadReporterSchema } from './config.ts';
import { LoadWindow } from './load-window.ts';

/** A handler of `node:http`. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Counts the requests of a server and reports its load. */
export interface LoadReporter {
  /** A handler that is counted and whose answers carry the report. */
  wrap(handler: Handler): Handler;
  /** The same as middleware of Express, Connect and their like: mount it before what is to be counted. */
  readonly middleware: (
    request: IncomingMessage,
    response: ServerResponse,
    next: () => unknown,
  ) => void;
  /** The load as of now, for whoever reports it by other ways. */
  report(): LoadReport;
  /** The answer to a probe as of now. */
  probeAnswer(): ProbeAnswer;
}

/**
 * @throws ConfigError for wrong options, also for names that {@link LoadReporterOptions.namedMetrics} gives at first. Later
 *   on a callback that throws costs no request: the numbers before it stay
 */
export function createLoadReporter(options: LoadReporterOptions = {}): LoadReporter {
  return new HttpLoadReporter(options);
}

class HttpLoadReporter implements LoadReporter {
  readonly middleware: LoadReporter['middleware'];
  readonly #options: LoadReporterOptions;
  readonly #format: LoadReportFormat;
  readonly #placement: ReportPlacement;
  readonly #clock: Clock;
  readonly #window: LoadWindow;
  readonly #latency = new LatencyByLoad();
  #activeCount = 0;
  #endedCount = 0;
  #failedCount = 0;
  /** All of a report but the two numbers that change from request to request. */
  #slow: LoadReport = createLoadReport({});
  /** The text of that, so that a report is one concatenation. Undefined in the other forms. */
  #slowText: string | undefined = undefined;

  constructor(options: LoadReporterOptions) {
    const { format, placement, windowMs } = decode(loadReporterSchema, options, 'loadReporter');
    this.#options = options;
    this.#format = format;
    this.#placement = placement;
    this.#clock = options.clock ?? systemClock;
    this.#window = new LoadWindow(options.meter ?? createProcessMeter(), windowMs);
    this.#sample(this.#clock.nowMs());
    this.middleware = (_request, response, next) => {
      this.#track(response);
      next();
    };
  }

  wrap(handler: Handler): Handler {
    return (request, response) => {
      this.#track(response);
      return handler(request, response);
    };
  }

  report(): LoadReport {
    this.#sampleIfDue();
    return withPresent(this.#slow, this.#activeCount, this.#latency.estimateMs(this.#activeCount));
  }

  probeAnswer(): ProbeAnswer {
    this.#sampleIfDue();
    const { requestsPerSecond, errorsPerSecond } = this.#slow;
    return {
      requestsInFlight: this.#activeCount,
      latencyMs: this.#latency.estimateMs(this.#activeCount),
      errorRatio: requestsPerSecond > 0 ? Math.min(1, errorsPerSecond / requestsPerSecond) : 0,
    };
  }

  #track(response: ServerResponse): void {
    const startedMs = this.#clock.nowMs();
    const others = this.#activeCount++;
    attachReport(response, this.#placement, this.#valueOf);
    // After the end of the answer as well as after the caller has gone: once in any case.
    response.once('close', () => {
      this.#activeCount--;
      this.#endedCount++;
      if (response.statusCode >= FIRST_ERROR) this.#failedCount++;
      // What failed fast was not fast, and what the caller broke off was not done.
      else if (response.writableFinished)
        this.#latency.record(this.#clock.nowMs() - startedMs, others);
    });
  }

  /** For the answer to one of the requests in flight: without it. */
  readonly #valueOf = (): string => {
    this.#sampleIfDue();
    const others = this.#activeCount - 1;
    const latencyMs = this.#latency.estimateMs(others);
    if (this.#slowText !== undefined) {
      const latency = latencyMs > 0 ? `, ${LATENCY}=${latencyMs.toFixed(3)}` : '';
      return `${this.#slowText}, ${REQUESTS}=${others}${latency}`;
    }
    return encodeLoadReport(withPresent(this.#slow, others, latencyMs), this.#format);
  };

  #sampleIfDue(): void {
    const nowMs = this.#clock.nowMs();
    if (!this.#window.isDue(nowMs)) return;
    try {
      this.#sample(nowMs);
    } catch {
      // The application's own numbers could not be had: no request is to fail for that, and the last report stays.
    }
  }

  #sample(nowMs: number): void {
    this.#window.sample(nowMs, this.#endedCount, this.#failedCount);
    const { figures } = this.#window;
    const { utilization, namedMetrics } = this.#options;
    const slow = createLoadReport({
      cpuUtilization: rounded(figures.cpuUtilization),
      memoryUtilization: rounded(figures.memoryUtilization),
      applicationUtilization: rounded(
        utilization?.() ?? Math.max(figures.loopUtilization, figures.cpuUtilization),
      ),
      requestsPerSecond: rounded(figures.requestsPerSecond),
      errorsPerSecond: rounded(figures.errorsPerSecond),
      namedMetrics: new Map(Object.entries(namedMetrics?.() ?? {})),
    });
    // Now or never: the answers must not fail for names that cannot be written.
    checkReport(slow, this.#format);
    this.#slow = slow;
    this.#slowText = this.#format === 'text' ? encodeLoadReport(slow) : undefined;
  }
}

/** A report with the numbers that change from request to request. */
function withPresent(slow: LoadReport, requestsInFlight: number, latencyMs: number): LoadReport {
  const namedMetrics = new Map(slow.namedMetrics).set(Metric.requestsInFlight, requestsInFlight);
  if (latencyMs > 0) namedMetrics.set(Metric.latencyMs, latencyMs);
  return { ...slow, namedMetrics };
}

/** @throws ConfigError unless the report can be written, whatever its last two numbers are, and is short enough to be read */
function checkReport(slow: LoadReport, format: LoadReportFormat): void {
  for (const name of OWN_NAMES) {
    if (slow.namedMetrics.has(name)) {
      throw configError('namedMetrics', `names other than ${OWN_NAMES.join(' and ')}`, name);
    }
  }
  const { length } = encodeLoadReport(withPresent(slow, LONGEST, LONGEST), format);
  if (length > MAX_REPORT_CHARACTERS) {
    throw configError(
      'namedMetrics',
      `a report of at most ${MAX_REPORT_CHARACTERS} characters`,
      length,
    );
  }
}

const OWN_NAMES: readonly string[] = Object.values(Metric);
/** As many characters as a number may have. */
const LONGEST = 2.2250738585072014e-308;

/** HTTP status from which an answer is the server's own failure. */
const FIRST_ERROR = 500;
const REQUESTS = `named_metrics.${Metric.requestsInFlight}`;
const LATENCY = `named_metrics.${Metric.latencyMs}`;

/** Four digits: the header goes out with every answer. */
function rounded(value: number): number {
  return value > 0 && value <= MAX_FIELD ? Number(value.toPrecision(4)) : 0;
}
