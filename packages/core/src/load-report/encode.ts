import { configError } from '../error/config-error.ts';
import { isMetricName, MAX_NAME_CHARACTERS, MAX_VALUES } from './bounds.ts';
import type { LoadReport, NamedValues } from './load-report.ts';
import { Field, WireType } from './wire-format.ts';

/** The forms of a report on the wire. */
export type LoadReportFormat = 'text' | 'json' | 'binary';

/**
 * A report as the value of the header `endpoint-load-metrics`, with the form in front. What is 0 is left out.
 *
 * @throws ConfigError for a named value that cannot be written: see {@link checkNamedValues}
 */
export function encodeLoadReport(report: LoadReport, format: LoadReportFormat = 'text'): string {
  checkNamedValues(report);
  switch (format) {
    case 'text':
      return `TEXT ${encodeText(report)}`;
    case 'json':
      return `JSON ${encodeJson(report)}`;
    case 'binary':
      return `BIN ${encodeBinary(report).toString('base64')}`;
  }
}

/** A report as the protobuf message: in base64 the value of `endpoint-load-metrics-bin`. */
export function encodeBinaryReport(report: LoadReport): Uint8Array {
  checkNamedValues(report);
  return encodeBinary(report);
}

/**
 * @throws ConfigError unless names are 1 to 128 visible ASCII characters without `, = : " \`, values are finite, and
 * there are at most 100 of them
 */
export function checkNamedValues(report: LoadReport): void {
  let count = 0;
  for (const [map, values] of namedOf(report)) {
    for (const [name, value] of values) {
      if (!isMetricName(name)) {
        const expected = `names of 1 to ${MAX_NAME_CHARACTERS} visible ASCII characters without , = : " \\`;
        throw configError(map, expected, name);
      }
      if (!Number.isFinite(value)) throw configError(`${map}.${name}`, 'a finite number', value);
      if (++count > MAX_NAMED_VALUES)
        throw configError(map, `at most ${MAX_NAMED_VALUES} named values`, count);
    }
  }
}

/** Leaves room for the fields. */
const MAX_NAMED_VALUES = MAX_VALUES - 28;

function numbersOf(report: LoadReport): readonly (readonly [string, number])[] {
  return [
    ['cpu_utilization', report.cpuUtilization],
    ['mem_utilization', report.memoryUtilization],
    ['application_utilization', report.applicationUtilization],
    ['rps_fractional', report.requestsPerSecond],
    ['eps', report.errorsPerSecond],
  ];
}

function namedOf(report: LoadReport): readonly (readonly [string, NamedValues])[] {
  return [
    ['request_cost', report.requestCost],
    ['utilization', report.utilization],
    ['named_metrics', report.namedMetrics],
  ];
}

function encodeText(report: LoadReport): string {
  const pairs: string[] = [];
  for (const [name, value] of numbersOf(report)) {
    if (value > 0) pairs.push(`${name}=${value}`);
  }
  for (const [map, values] of namedOf(report)) {
    for (const [name, value] of values) pairs.push(`${map}.${name}=${value}`);
  }
  // A list without a pair would be malformed.
  return pairs.length === 0 ? 'cpu_utilization=0' : pairs.join(', ');
}

function encodeJson(report: LoadReport): string {
  const fields: Record<string, number | Record<string, number>> = {};
  for (const [name, value] of numbersOf(report)) {
    if (value > 0) fields[name] = value;
  }
  for (const [map, values] of namedOf(report)) {
    if (values.size > 0) fields[map] = Object.fromEntries(values);
  }
  return JSON.stringify(fields);
}

function encodeBinary(report: LoadReport): Buffer {
  const parts: Buffer[] = [];
  const numbers: readonly (readonly [number, number])[] = [
    [Field.cpuUtilization, report.cpuUtilization],
    [Field.memUtilization, report.memoryUtilization],
    [Field.rpsFractional, report.requestsPerSecond],
    [Field.eps, report.errorsPerSecond],
    [Field.applicationUtilization, report.applicationUtilization],
  ];
  for (const [field, value] of numbers) {
    if (value > 0) parts.push(doubleField(field, value));
  }
  const maps: readonly (readonly [number, NamedValues])[] = [
    [Field.requestCost, report.requestCost],
    [Field.utilization, report.utilization],
    [Field.namedMetrics, report.namedMetrics],
  ];
  for (const [field, values] of maps) {
    for (const [name, value] of values) {
      const entry = Buffer.concat([bytesField(1, Buffer.from(name)), doubleField(2, value)]);
      parts.push(bytesField(field, entry));
    }
  }
  return Buffer.concat(parts);
}

function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = field * 8 + WireType.fixed64;
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

/** Lengths here are at most a name and a number: two bytes of varint are enough for 16,383. */
function bytesField(field: number, content: Uint8Array): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
  return Buffer.concat([Buffer.from([field * 8 + WireType.bytes, ...size]), content]);
}
