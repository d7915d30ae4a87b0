/** The fields that a line of the access log may have, and where each comes from. */
import type { RouteRequest } from '../../engine/route.ts';
import type { AccessEntry, AccessResult } from '../access-log.ts';

/** Where a field's value comes from: the head of the request, or its end. */
export type LogField =
  | { readonly kind: 'taken'; readonly take: (request: RouteRequest) => string | undefined }
  | {
      readonly kind: 'told';
      readonly tell: (
        result: AccessResult,
        entry: AccessEntry,
        time: string,
      ) => string | number | undefined;
    };

type Taken = Extract<LogField, { kind: 'taken' }>['take'];
type Told = Extract<LogField, { kind: 'told' }>['tell'];

const taken = (take: Taken): LogField => ({ kind: 'taken', take });
const told = (tell: Told): LogField => ({ kind: 'told', tell });

/** By name, in the order of the JSON format. */
const FIELDS: ReadonlyMap<string, LogField> = new Map([
  ['time', told((_result, _entry, time) => time)],
  ['requestId', told(({ requestId }) => requestId)],
  ['traceId', told(({ traceId }) => traceId)],
  ['spanId', told(({ spanId }) => spanId)],
  ['client', told((_result, { client }) => client)],
  ['method', taken(({ method }) => method)],
  ['host', taken(({ host }) => host)],
  ['path', taken(({ path }) => path)],
  ['query', taken(({ search }) => search)],
  ['protocol', taken(({ protocol }) => protocol)],
  ['status', told(({ status }) => status)],
  ['durationMs', told(({ durationMs }) => Math.round(durationMs * 1_000) / 1_000)],
  ['bytesIn', told(({ bytesIn }) => bytesIn)],
  ['bytesOut', told(({ bytesOut }) => bytesOut)],
  ['route', told(({ route }) => route)],
  ['cluster', told(({ cluster }) => cluster)],
  ['endpoint', told(({ endpoint }) => endpoint)],
  ['tries', told(({ tries }) => tries)],
  ['reason', told(({ reason }) => reason)],
]);

export const LOG_FIELD_NAMES: readonly string[] = [...FIELDS.keys()];

/** Not in JSON unless they are named: queries may hold secrets, and most proxies have no traces. */
const ON_DEMAND: readonly string[] = ['query', 'traceId', 'spanId'];

/** What a JSON line has unless the options say otherwise. */
export const DEFAULT_JSON_FIELDS: readonly string[] = LOG_FIELD_NAMES.filter(
  (name) => !ON_DEMAND.includes(name),
);

const HEADER = /^header:([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256})$/;

/** @returns undefined for a name that means nothing */
export function logField(name: string): LogField | undefined {
  const header = HEADER.exec(name)?.[1]?.toLowerCase();
  return header === undefined ? FIELDS.get(name) : taken((request) => request.header(header));
}
