/**
 * `@evenkeel/core/load-report`: what servers tell about their load. Reading and writing reports (ORCA), and the ready-made
 * side of a Node server.
 */

// The server
export { createLoadReporter, type Handler, type LoadReporter } from './server/load-reporter.ts';
export type { LoadReporterOptions } from './server/config.ts';
export type { ReportPlacement } from './server/attach-report.ts';
export { createProbeHandler, type ProbeHandlerOptions } from './server/probe-handler.ts';
export type { ProcessMeter, ProcessReading } from '../runtime/process-meter.ts';

// The wire
export {
  decodeLoadReport,
  LOAD_REPORT_HEADER,
  LOAD_REPORT_HEADER_BINARY,
  readLoadReport,
  type ReportHeaders,
} from './read-load-report.ts';
export { decodeBinaryReport } from './decode-binary.ts';
export { encodeBinaryReport, encodeLoadReport, type LoadReportFormat } from './encode.ts';
export { decodeProbeAnswer, encodeProbeAnswer } from './probe-answer.ts';

// The report
export {
  answerOfReport,
  createLoadReport,
  EMPTY_LOAD_REPORT,
  type LoadReport,
  Metric,
  type NamedValues,
  PROBE_PATH,
  type ProbeAnswer,
  utilizationOf,
} from './load-report.ts';
export { LatencyByLoad } from './latency-by-load.ts';
