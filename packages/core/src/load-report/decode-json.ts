import { parseDecimal } from './bounds.ts';
import type { LoadReport } from './load-report.ts';
import { type MapName, ReportBuilder } from './report-builder.ts';

/** Of every field the name in the message and the one in lowerCamelCase: readers of proto3 JSON take both. */
const NUMBERS: ReadonlyMap<string, string> = new Map([
  ...both('cpu_utilization', 'cpuUtilization'),
  ...both('mem_utilization', 'memUtilization'),
  ...both('application_utilization', 'applicationUtilization'),
  ...both('rps_fractional', 'rpsFractional'),
  ...both('rps', 'rps'),
  ...both('eps', 'eps'),
]);

const MAPS: ReadonlyMap<string, MapName> = new Map([
  ...both<MapName>('utilization', 'utilization'),
  ...both<MapName>('request_cost', 'requestCost'),
  ...both<MapName>('named_metrics', 'namedMetrics'),
]);

/**
 * The JSON form of the message. Numbers may be strings (proto3 JSON writes 64-bit integers so), `null` is a field left
 * out.
 *
 * @returns undefined for anything but an object of such fields
 */
export function decodeJsonReport(text: string): LoadReport | undefined {
  const fields = parseObject(text);
  if (fields === undefined) return undefined;
  const builder = new ReportBuilder();
  for (const [key, value] of Object.entries(fields)) {
    if (value !== null && !takeField(key, value, builder)) return undefined;
  }
  return builder.build();
}

function takeField(key: string, value: unknown, builder: ReportBuilder): boolean {
  const name = NUMBERS.get(key);
  if (name !== undefined) return builder.set(name, numberOf(value));
  const map = MAPS.get(key);
  if (map === undefined) return true;
  if (!isObject(value)) return false;
  for (const [entry, inner] of Object.entries(value)) {
    if (!builder.setNamed(map, entry, numberOf(inner))) return false;
  }
  return true;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? parseDecimal(value) : Number.NaN;
}

function both<Name extends string>(name: Name, camel: string): [string, Name][] {
  return [
    [name, name],
    [camel, name],
  ];
}
