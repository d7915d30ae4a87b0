/**
 * The messages of etcd's JSON gateway (etcdserver.proto of etcd 3.4 in protobuf's JSON form): 64-bit numbers are texts,
 * bytes are base64, and a field that has its default is left out.
 */
import { discoveryError } from '../../discovery-error.ts';
import { EtcdRefusal } from './refusal.ts';

export interface Header {
  readonly clusterId: string;
  /** How many changes the store has seen. 0: not told. */
  readonly revision: bigint;
}

export interface KeyValue {
  /** One character per byte, so that any key can be told apart from any other. */
  readonly key: string;
  readonly value: Buffer;
  /** Revision of the last change. */
  readonly modRevision: bigint;
}

export interface RangeAnswer {
  readonly header: Header;
  readonly keyValues: readonly KeyValue[];
  /** Are there more keys than were asked for? */
  readonly more: boolean;
  /** How many keys there are in the range. */
  readonly count: number;
}

export interface WatchEvent {
  readonly kind: 'put' | 'delete';
  readonly keyValue: KeyValue;
}

/** A line of a watch. */
export type WatchMessage =
  | { readonly kind: 'created'; readonly header: Header }
  | { readonly kind: 'progress'; readonly header: Header }
  | {
      readonly kind: 'events';
      readonly header: Header;
      readonly events: readonly WatchEvent[];
      /** More of the same revision follows. */
      readonly isFragment: boolean;
    }
  /** The watch is over. `compactRevision`: because what it wants to begin with is gone. */
  | {
      readonly kind: 'canceled';
      readonly reason: string;
      readonly compactRevision: bigint | undefined;
    };

export type Fields = Readonly<Record<string, unknown>>;

export function encodeKey(key: string): string {
  return Buffer.from(key, 'latin1').toString('base64');
}

/** A key or prefix that a person wrote, as it is kept here. */
export function keyOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/**
 * The first key after all that begin with `prefix`: the last byte that is not 0xff counted up, and what follows it left
 * out. A zero byte stands for "to the end" where there is none.
 */
export function rangeEndOf(prefix: string): string {
  for (let end = prefix.length - 1; end >= 0; end -= 1) {
    const code = prefix.charCodeAt(end);
    if (code < 0xff) return prefix.slice(0, end) + String.fromCharCode(code + 1);
  }
  return '\0';
}

/** @throws EvenkeelError for anything else than an answer to `/v3/kv/range` */
export function decodeRange(raw: Fields): RangeAnswer {
  return {
    header: decodeHeader(raw['header']),
    keyValues: listOf(raw, 'kvs').map(decodeKeyValue),
    more: raw['more'] === true,
    count: Number(numberOf(raw, 'count')),
  };
}

/** @throws EvenkeelError for anything else than a line of `/v3/watch`; {@link EtcdRefusal} for a line with an error */
export function decodeWatchMessage(raw: unknown): WatchMessage {
  const line = fieldsOf(raw, 'message');
  if (line['error'] !== undefined) throw EtcdRefusal.of(0, line['error']);
  const result = fieldsOf(line['result'], 'result');
  const header = decodeHeader(result['header']);
  if (result['canceled'] === true) {
    const compactRevision = numberOf(result, 'compact_revision');
    const reason = result['cancel_reason'];
    return {
      kind: 'canceled',
      reason: typeof reason === 'string' ? reason : '',
      compactRevision: compactRevision > 0n ? compactRevision : undefined,
    };
  }
  if (result['created'] === true) return { kind: 'created', header };
  const events = listOf(result, 'events').map(decodeEvent);
  if (events.length === 0) return { kind: 'progress', header };
  return { kind: 'events', header, events, isFragment: result['fragment'] === true };
}

export function decodeHeader(raw: unknown): Header {
  const header = fieldsOf(raw, 'header');
  const clusterId = header['cluster_id'];
  if (typeof clusterId !== 'string') throw discoveryError('cluster_id is no text');
  return { clusterId, revision: numberOf(header, 'revision') };
}

function decodeEvent(raw: unknown): WatchEvent {
  const event = fieldsOf(raw, 'event');
  const type = event['type'] ?? 'PUT';
  if (type !== 'PUT' && type !== 'DELETE') throw discoveryError('an event of an unknown type');
  return { kind: type === 'PUT' ? 'put' : 'delete', keyValue: decodeKeyValue(event['kv']) };
}

function decodeKeyValue(raw: unknown): KeyValue {
  const fields = fieldsOf(raw, 'kv');
  return {
    key: bytesOf(fields, 'key').toString('latin1'),
    value: bytesOf(fields, 'value'),
    modRevision: numberOf(fields, 'mod_revision'),
  };
}

/** @throws EvenkeelError */
export function fieldsOf(raw: unknown, what: string): Fields {
  if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return raw as Fields;
  throw discoveryError(`${what} is no object`);
}

function listOf(fields: Fields, name: string): readonly unknown[] {
  const list: unknown = fields[name] ?? [];
  if (Array.isArray(list)) return list as readonly unknown[];
  throw discoveryError(`${name} is no list`);
}

function bytesOf(fields: Fields, name: string): Buffer {
  const text = fields[name] ?? '';
  if (typeof text !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) {
    throw discoveryError(`${name} is no base64`);
  }
  return Buffer.from(text, 'base64');
}

/** An unsigned 64-bit number: a text, but where it is small some gateways write a number. */
export function numberOf(fields: Fields, name: string): bigint {
  const value = fields[name] ?? '0';
  if (typeof value === 'string' && /^\d{1,20}$/.test(value)) return BigInt(value);
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  throw discoveryError(`${name} is no number`);
}
