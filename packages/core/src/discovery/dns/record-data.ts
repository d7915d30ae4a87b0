import { discoveryError } from '../discovery-error.ts';
import { decodeName } from './name.ts';

/** Numbers of the record types that are asked for. */
export const RecordType = { a: 1, aaaa: 28, srv: 33 } as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

/** The usual name of a type, for messages. */
export function recordTypeName(type: RecordType): string {
  switch (type) {
    case RecordType.a:
      return 'A';
    case RecordType.aaaa:
      return 'AAAA';
    case RecordType.srv:
      return 'SRV';
  }
}

const TYPE_CNAME = 5;
const TYPE_SOA = 6;

/** What a record says. */
export type RecordData =
  /** RFC 1035 section 3.4.1 and RFC 3596 section 2.2. */
  | { readonly type: 'address'; readonly family: 4 | 6; readonly address: string }
  /** RFC 2782. */
  | ServiceData
  /** RFC 1035 section 3.3.1. */
  | { readonly type: 'alias'; readonly target: string }
  /** RFC 1035 section 3.3.13: only what RFC 2308 section 5 needs, how long a negative answer holds. */
  | { readonly type: 'authority'; readonly minimumTtlSeconds: number };

/** A service location (RFC 2782). */
export interface ServiceData {
  readonly type: 'service';
  /** 0..65,535, lower is preferred. */
  readonly priority: number;
  /** 0..65,535 */
  readonly weight: number;
  readonly port: number;
  /** '' is the root: the service is decidedly not available. */
  readonly target: string;
}

/** The data of one record inside its message, whose names it may point into. */
export interface RecordDataPlace {
  readonly bytes: Uint8Array;
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

/** @returns undefined for a type that is not used here @throws EvenkeelError `EVENKEEL_DISCOVERY` */
export function decodeRecordData(place: RecordDataPlace): RecordData | undefined {
  switch (place.type) {
    case RecordType.a:
      return { type: 'address', family: 4, address: decodeIpv4(place) };
    case RecordType.aaaa:
      return { type: 'address', family: 6, address: decodeIpv6(place) };
    case RecordType.srv:
      return decodeService(place);
    case TYPE_CNAME:
      return { type: 'alias', target: nameFilling(place, place.start) };
    case TYPE_SOA:
      return { type: 'authority', minimumTtlSeconds: decodeMinimumTtl(place) };
    default:
      return undefined;
  }
}

function decodeIpv4({ bytes, start, end }: RecordDataPlace): string {
  if (end - start !== 4) throw discoveryError('malformed answer: an A record is not 4 bytes');
  return bytes.subarray(start, end).join('.');
}

function decodeIpv6({ bytes, start, end }: RecordDataPlace): string {
  if (end - start !== 16) throw discoveryError('malformed answer: an AAAA record is not 16 bytes');
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, 16);
  // Written in full: createAddress brings it into canonical form.
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(index * 2).toString(16));
  return groups.join(':');
}

function decodeService(place: RecordDataPlace): ServiceData {
  const { bytes, start, end } = place;
  if (end - start < 7) throw discoveryError('malformed answer: an SRV record is cut off');
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, 6);
  return {
    type: 'service',
    priority: view.getUint16(0),
    weight: view.getUint16(2),
    port: view.getUint16(4),
    // RFC 2782 forbids compression here, but RFC 3597 section 4 tells receivers to expect it.
    target: nameFilling(place, start + 6),
  };
}

function decodeMinimumTtl(place: RecordDataPlace): number {
  const { bytes, start, end } = place;
  const mailbox = decodeName(bytes, decodeName(bytes, start).end).end;
  if (mailbox + 20 !== end) throw discoveryError('malformed answer: an SOA record of wrong length');
  const minimum = new DataView(bytes.buffer, bytes.byteOffset + mailbox + 16, 4).getUint32(0);
  return minimum > 0x7fff_ffff ? 0 : minimum;
}

/** The name at `start`, which must reach to the end of the data. */
function nameFilling({ bytes, end }: RecordDataPlace, start: number): string {
  const decoded = decodeName(bytes, start);
  if (decoded.end !== end)
    throw discoveryError('malformed answer: a name does not fill its record');
  return decoded.name;
}
