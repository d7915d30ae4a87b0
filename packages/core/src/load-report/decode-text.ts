import { MAX_VALUES, parseDecimal } from './bounds.ts';
import type { LoadReport } from './load-report.ts';
import { type MapName, ReportBuilder } from './report-builder.ts';

/**
 * The native form: a list of pairs, maps flattened into it.
 *
 * ```text
 * cpu_utilization=0.3, rps_fractional=10, named_metrics.queue=4, utilization.disk=0.2
 * ```
 *
 * Older senders write `:` for `=`. Empty elements are passed over, as in every list header (RFC 9110 section 5.6.1).
 *
 * @returns undefined when any pair is malformed or comes twice: half of a report is worse than none
 */
export function decodeTextReport(text: string): LoadReport | undefined {
  const builder = new ReportBuilder();
  const seen = new Set<string>();
  for (let from = 0; from <= text.length;) {
    const comma = text.indexOf(',', from);
    const to = comma < 0 ? text.length : comma;
    const pair = text.slice(from, to).trim();
    from = to + 1;
    if (pair !== '' && !takePair(pair, builder, seen)) return undefined;
  }
  return seen.size === 0 ? undefined : builder.build();
}

function takePair(pair: string, builder: ReportBuilder, seen: Set<string>): boolean {
  const equals = pair.indexOf('=');
  const separator = equals < 0 ? pair.indexOf(':') : equals;
  if (separator <= 0) return false;
  const name = pair.slice(0, separator).trimEnd();
  const value = parseDecimal(pair.slice(separator + 1).trimStart());
  // The names of a list have no blanks in them: two reports in one header would make one ("TEXT eps").
  if (Number.isNaN(value) || /\s/.test(name) || seen.has(name)) return false;
  if (seen.add(name).size > MAX_VALUES) return false;
  const dot = name.indexOf('.');
  if (dot < 0) return builder.set(name, value);
  const map = MAPS.get(name.slice(0, dot));
  return map === undefined ? true : builder.setNamed(map, name.slice(dot + 1), value);
}

const MAPS: ReadonlyMap<string, MapName> = new Map(
  (['utilization', 'request_cost', 'named_metrics'] as const).map((name) => [name, name]),
);
