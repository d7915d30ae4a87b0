import { discoveryError } from '../discovery-error.ts';
import { decodeName } from './name.ts';
import { decodeRecordData, type RecordData } from './record-data.ts';

/**
 * Answers of DNS servers (RFC 1035 section 4.1), read strictly: a field that runs over its end, a loop of pointers or a
 * count that lies is an error, never a guess. The work per message is bounded by its size (64 KiB at most).
 */

/** Response codes with a meaning here (RFC 1035 section 4.1.1, RFC 6891 section 9). */
export const ResponseCode = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const;

/** The codes by their usual names. */
export function responseCodeName(code: number): string {
  return RESPONSE_CODE_NAMES.get(code) ?? `response code ${code}`;
}

const RESPONSE_CODE_NAMES: ReadonlyMap<number, string> = new Map([
  [ResponseCode.noError, 'NOERROR'],
  [ResponseCode.formatError, 'FORMERR'],
  [ResponseCode.serverFailure, 'SERVFAIL'],
  [ResponseCode.nameError, 'NXDOMAIN'],
  [ResponseCode.notImplemented, 'NOTIMP'],
  [ResponseCode.refused, 'REFUSED'],
  [ResponseCode.badVersion, 'BADVERS'],
]);

export interface DnsQuestion {
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

/** A resource record of class IN whose type is understood here. */
export interface DnsRecord {
  readonly name: string;
  /** 0..2,147,483,647 */
  readonly ttlSeconds: number;
  readonly data: RecordData;
}

/** A decoded response. Records of other classes and types are left out. */
export interface DnsMessage {
  readonly id: number;
  /** With the upper bits of EDNS(0), if the answer has an OPT record. */
  readonly responseCode: number;
  /** The answer did not fit: ask again over TCP. */
  readonly truncated: boolean;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

const HEADER_LENGTH = 12;
/** A record is at least 11 bytes, so an honest message of 64 KiB cannot hold more than 5,957. */
const MAX_RECORDS = 6_000;
const CLASS_IN = 1;
const TYPE_OPT = 41;

/**
 * Decodes a response. What follows the last record is ignored.
 *
 * @throws EvenkeelError `EVENKEEL_DISCOVERY` when it is malformed or no response to a standard query
 */
export function decodeMessage(bytes: Uint8Array): DnsMessage {
  if (bytes.length < HEADER_LENGTH) throw discoveryError('malformed answer: shorter than a header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  // QR and OPCODE.
  if ((flags & 0xf800) !== 0x8000)
    throw discoveryError('malformed answer: not a response to a query');
  const counts = [view.getUint16(6), view.getUint16(8), view.getUint16(10)] as const;
  if (view.getUint16(4) > 1) throw discoveryError('malformed answer: more than one question');
  if (counts[0] + counts[1] + counts[2] > MAX_RECORDS) {
    throw discoveryError(`malformed answer: more than ${MAX_RECORDS} records`);
  }

  const reader: Reader = { bytes, view, offset: HEADER_LENGTH, extendedCode: 0 };
  const questions = view.getUint16(4) === 1 ? [readQuestion(reader)] : [];
  const truncated = (flags & 0x0200) !== 0;
  // A truncated answer is asked for again, and some servers cut in the middle of a record: do not read on.
  const answers = truncated ? [] : readRecords(reader, counts[0]);
  const authorities = truncated ? [] : readRecords(reader, counts[1]);
  const additionals = truncated ? [] : readRecords(reader, counts[2]);
  const responseCode = (reader.extendedCode << 4) | (flags & 0x000f);
  return {
    id: view.getUint16(0),
    responseCode,
    truncated,
    questions,
    answers,
    authorities,
    additionals,
  };
}

interface Reader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  offset: number;
  /** Upper eight bits of the response code (RFC 6891 section 6.1.3). */
  extendedCode: number;
}

function readQuestion(reader: Reader): DnsQuestion {
  const { name, end } = decodeName(reader.bytes, reader.offset);
  assertRoom(reader, end, 4);
  reader.offset = end + 4;
  return { name, type: reader.view.getUint16(end), class: reader.view.getUint16(end + 2) };
}

function readRecords(reader: Reader, count: number): DnsRecord[] {
  const records: DnsRecord[] = [];
  for (let index = 0; index < count; index += 1) {
    const record = readRecord(reader);
    if (record !== undefined) records.push(record);
  }
  return records;
}

/** RFC 1035 section 4.1.3. */
function readRecord(reader: Reader): DnsRecord | undefined {
  const { bytes, view } = reader;
  const { name, end } = decodeName(bytes, reader.offset);
  assertRoom(reader, end, 10);
  const type = view.getUint16(end);
  const recordClass = view.getUint16(end + 2);
  const ttl = view.getUint32(end + 4);
  const dataLength = view.getUint16(end + 8);
  const start = end + 10;
  assertRoom(reader, start, dataLength);
  reader.offset = start + dataLength;
  if (type === TYPE_OPT) {
    // RFC 6891 section 6.1.3: the TTL field of an OPT record holds the upper bits of the response code.
    reader.extendedCode = ttl >>> 24;
    return undefined;
  }
  if (recordClass !== CLASS_IN) return undefined;
  const data = decodeRecordData({ bytes, type, start, end: reader.offset });
  // RFC 2181 section 8: a TTL with the top bit set counts as 0.
  return data === undefined ? undefined : { name, ttlSeconds: ttl > 0x7fff_ffff ? 0 : ttl, data };
}

function assertRoom({ bytes }: Reader, start: number, length: number): void {
  if (start + length > bytes.length) throw discoveryError('malformed answer: a record is cut off');
}
