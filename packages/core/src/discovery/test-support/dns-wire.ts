/** Writes DNS messages for tests, right or wrong ones, independently of the code under test. */

export const TYPE = { A: 1, NS: 2, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28, SRV: 33, OPT: 41 } as const;

export interface WireRecord {
  readonly name: string;
  readonly type: number;
  readonly ttl: number;
  readonly data: Uint8Array;
  readonly class?: number;
}

export interface WireMessage {
  readonly id?: number;
  /** QR, RD and RA unless given. */
  readonly flags?: number;
  readonly responseCode?: number;
  readonly truncated?: boolean;
  readonly question?: { readonly name: string; readonly type: number } | undefined;
  readonly answers?: readonly WireRecord[];
  readonly authorities?: readonly WireRecord[];
  readonly additionals?: readonly WireRecord[];
}

export function writeMessage(message: WireMessage): Buffer {
  const { answers = [], authorities = [], additionals = [], question } = message;
  const flags =
    (message.flags ?? 0x8180) |
    (message.responseCode ?? 0) |
    (message.truncated === true ? 0x0200 : 0);
  const counts = [
    question === undefined ? 0 : 1,
    answers.length,
    authorities.length,
    additionals.length,
  ];
  return Buffer.concat([
    u16(message.id ?? 0, flags, ...counts),
    question === undefined
      ? Buffer.alloc(0)
      : Buffer.concat([writeName(question.name), u16(question.type, 1)]),
    ...[...answers, ...authorities, ...additionals].map(writeRecord),
  ]);
}

function writeRecord({ name, type, ttl, data, class: recordClass = 1 }: WireRecord): Buffer {
  return Buffer.concat([writeName(name), u16(type, recordClass), u32(ttl), u16(data.length), data]);
}

/** A text name as labels; '' and '.' are the root. */
export function writeName(name: string): Buffer {
  const labels = name
    .replace(/\.$/, '')
    .split('.')
    .filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) =>
      Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')]),
    ),
    Buffer.from([0]),
  ]);
}

export function u16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => bytes.writeUInt16BE(value, index * 2));
  return bytes;
}

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4));
  return bytes;
}

export function a(name: string, address: string, ttl = 60): WireRecord {
  return { name, type: TYPE.A, ttl, data: Buffer.from(address.split('.').map(Number)) };
}

/** @param groups all eight groups of the address */
export function aaaa(name: string, groups: readonly number[], ttl = 60): WireRecord {
  return { name, type: TYPE.AAAA, ttl, data: u16(...groups) };
}

export function cname(name: string, target: string, ttl = 60): WireRecord {
  return { name, type: TYPE.CNAME, ttl, data: writeName(target) };
}

export interface SrvFields {
  readonly priority?: number;
  readonly weight?: number;
  readonly port?: number;
  readonly ttl?: number;
}

export function srv(name: string, target: string, fields: SrvFields = {}): WireRecord {
  const { priority = 0, weight = 0, port = 80, ttl = 60 } = fields;
  return {
    name,
    type: TYPE.SRV,
    ttl,
    data: Buffer.concat([u16(priority, weight, port), writeName(target)]),
  };
}

export function soa(zone: string, options: { ttl?: number; minimum?: number } = {}): WireRecord {
  const { ttl = 60, minimum = 60 } = options;
  const numbers = u32(1, 3_600, 600, 86_400, minimum);
  return {
    name: zone,
    type: TYPE.SOA,
    ttl,
    data: Buffer.concat([writeName(`ns.${zone}`), writeName(`root.${zone}`), numbers]),
  };
}

/** What a query asks, read with the least code that does. */
export function readQuery(bytes: Uint8Array): {
  id: number;
  name: string;
  type: number;
  hasOpt: boolean;
} {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const labels: string[] = [];
  let offset = 12;
  for (let length = buffer.readUInt8(offset); length > 0; length = buffer.readUInt8(offset)) {
    labels.push(buffer.toString('latin1', offset + 1, offset + 1 + length));
    offset += length + 1;
  }
  return {
    id: buffer.readUInt16BE(0),
    name: labels.join('.'),
    type: buffer.readUInt16BE(offset + 1),
    hasOpt: buffer.readUInt16BE(10) === 1,
  };
}
