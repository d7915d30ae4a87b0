/** Which packets are traced. */
import { wrong } from './address.ts';
import type { TraceFilter as FilterRecord } from './generated/forwarder.ts';
import { type IpPrefix, parsePrefix } from './prefix.ts';

/** What is left out matches everything. */
export interface TraceFilter {
  /** Address or prefix. */
  readonly source?: string;
  readonly destination?: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly protocol?: keyof typeof PROTOCOLS;
  /** One of so many of the packets that match, at random. 1 to 1 000 000 000, default 1: all. */
  readonly oneIn?: number;
  /** Packets at most, a second and CPU. 1 to 10 000, default 100. */
  readonly perSecond?: number;
}

const PROTOCOLS = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;
const MAX_ONE_IN = 1_000_000_000;
const MAX_PER_SECOND = 10_000;

/** @throws ConfigError */
export function parseTraceFilter(filter: TraceFilter): FilterRecord {
  const { source, destination, protocol, oneIn = 1, perSecond = 100 } = filter;
  const from = source === undefined ? undefined : parsePrefix(source, 'source');
  const to = destination === undefined ? undefined : parsePrefix(destination, 'destination');
  const families = [from, to].flatMap((prefix) =>
    prefix === undefined ? [] : [prefix.address.family],
  );
  if (new Set(families).size > 1) {
    throw wrong('destination', 'a prefix of the family that the source has', destination);
  }
  if (protocol !== undefined && !Object.hasOwn(PROTOCOLS, protocol)) {
    throw wrong('protocol', `one of ${Object.keys(PROTOCOLS).join(', ')}`, protocol);
  }
  return {
    source: words(from),
    sourceMask: mask(from),
    destination: words(to),
    destinationMask: mask(to),
    sourcePort: integer(filter.sourcePort ?? 0, 'sourcePort', [0, 65_535]),
    destinationPort: integer(filter.destinationPort ?? 0, 'destinationPort', [0, 65_535]),
    protocol: protocol === undefined ? 0 : PROTOCOLS[protocol],
    family: families[0] ?? 0,
    spare: 0,
    oneIn: integer(oneIn, 'oneIn', [1, MAX_ONE_IN]),
    perSecond: integer(perSecond, 'perSecond', [1, MAX_PER_SECOND]),
  };
}

function integer(value: number, path: string, [least, most]: readonly [number, number]): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw wrong(path, `an integer from ${least} to ${most}`, value);
}

/** As they lie in packets. */
function words(prefix: IpPrefix | undefined): Uint32Array {
  if (prefix === undefined) return new Uint32Array(4);
  const { buffer, byteOffset } = prefix.address.bytes;
  const view = new DataView(buffer, byteOffset);
  return Uint32Array.from({ length: 4 }, (_, word) => view.getUint32(4 * word, true));
}

function mask(prefix: IpPrefix | undefined): Uint32Array {
  const bytes = new Uint8Array(16);
  const bits = prefix?.bits ?? 0;
  for (let bit = 0; bit < bits; bit += 1) {
    bytes[bit >> 3] = (bytes[bit >> 3] as number) | (0x80 >> (bit & 7));
  }
  return new Uint32Array(bytes.buffer);
}
