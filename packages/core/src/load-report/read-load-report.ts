import { MAX_REPORT_CHARACTERS } from './bounds.ts';
import { decodeBase64Report } from './decode-binary.ts';
import { decodeJsonReport } from './decode-json.ts';
import { decodeTextReport } from './decode-text.ts';
import type { LoadReport } from './load-report.ts';

/** Header or trailer of a report, in lower case; the value begins with its form: `TEXT `, `JSON ` or `BIN `. */
export const LOAD_REPORT_HEADER = 'endpoint-load-metrics';
/** The same for gRPC, where names that end so carry base64: always the binary form. */
export const LOAD_REPORT_HEADER_BINARY = 'endpoint-load-metrics-bin';

/** Headers or trailers as Node and undici hand them over: names in lower case, repeated ones perhaps as a list. */
export interface ReportHeaders {
  readonly [name: string]: string | readonly string[] | undefined;
}

/**
 * The report in the headers or trailers of an answer. Two property reads when there is none, so that every answer can
 * be asked.
 *
 * @returns undefined when there is none, and when it is malformed: an answer is never lost for its report
 */
export function readLoadReport(headers: ReportHeaders): LoadReport | undefined {
  const value = headers[LOAD_REPORT_HEADER];
  if (value !== undefined) return decodeLoadReport(firstOf(value));
  const binary = headers[LOAD_REPORT_HEADER_BINARY];
  if (binary === undefined) return undefined;
  const text = firstOf(binary);
  // gRPC joins the values of one name with commas, which base64 does not have.
  return text.length > MAX_REPORT_CHARACTERS
    ? undefined
    : decodeBase64Report(text.split(',', 1)[0] ?? '');
}

/**
 * Reads the value of the header `endpoint-load-metrics`. Without a form in front it is taken for JSON if it begins with
 * a brace and for the native form otherwise, as senders from before the prefixes write it.
 *
 * @returns undefined when malformed, or longer than 8,192 characters
 */
export function decodeLoadReport(value: string): LoadReport | undefined {
  if (value.length > MAX_REPORT_CHARACTERS) return undefined;
  if (value.startsWith('TEXT ')) return decodeTextReport(value.slice(5));
  if (value.startsWith('JSON ')) return decodeJsonReport(value.slice(5));
  if (value.startsWith('BIN ')) return decodeBase64Report(value.slice(4).trim());
  return value.startsWith('{') ? decodeJsonReport(value) : decodeTextReport(value);
}

function firstOf(value: string | readonly string[]): string {
  return typeof value === 'string' ? value : (value[0] ?? '');
}
