/** Reading JSON that others wrote. */
import { messageOf } from '../../error/evenkeel-error.ts';
import { MAX_WEIGHT } from '../../model/endpoint.ts';
import { discoveryError } from '../discovery-error.ts';

export type Fields = Readonly<Record<string, unknown>>;

const MAX_LABELS = 256;
const MAX_LABEL_LENGTH = 4_096;
const MAX_NAME_LENGTH = 256;

/** @throws EvenkeelError when the text is no JSON object */
export function parseObject(text: string): Fields {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    throw discoveryError(`no JSON: ${messageOf(error).slice(0, 100)}`, error);
  }
  const fields = optionalFields(raw);
  if (fields === undefined) throw discoveryError('no JSON object');
  return fields;
}

export function optionalFields(raw: unknown): Fields | undefined {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw)
    ? (raw as Fields)
    : undefined;
}

/** A text that says something. */
export function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** @throws EvenkeelError */
export function hostOf(fields: Fields, name: string): string {
  const host = optionalText(fields[name]);
  if (host === undefined) throw discoveryError(`${name} is no text`);
  return host;
}

/** @throws EvenkeelError for anything but 1..65,535 */
export function portOf(fields: Fields, name: string): number {
  const port = fields[name];
  const isPort = typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535;
  if (!isPort) throw discoveryError(`${name} is no port`);
  return port;
}

/** A weight as a number or in digits; 1 when there is none, or none that makes sense. */
export function weightOf(value: unknown): number {
  const weight = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof weight !== 'number' || !Number.isInteger(weight) || weight < 0) return 1;
  return Math.min(weight, MAX_WEIGHT);
}

/** Labels: those texts, numbers and flags among the fields that are of a sane size. */
export function labelsOf(raw: unknown): Record<string, string> {
  const labels = new Map<string, string>();
  for (const [name, value] of Object.entries(optionalFields(raw) ?? {})) {
    const isPlain =
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    if (!isPlain || name === '' || name.length > MAX_NAME_LENGTH) continue;
    if (labels.size >= MAX_LABELS) break;
    labels.set(name, String(value).slice(0, MAX_LABEL_LENGTH));
  }
  return Object.fromEntries(labels);
}

/** Where it stands, by the labels `region`, `zone` and `subzone`. */
export function placeOf(fields: Fields): { region: string; zone: string; subzone: string } {
  return {
    region: optionalText(fields['region']) ?? '',
    zone: optionalText(fields['zone']) ?? '',
    subzone: optionalText(fields['subzone']) ?? '',
  };
}
