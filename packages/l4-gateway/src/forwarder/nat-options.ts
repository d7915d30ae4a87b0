/** Options of full NAT, and the sizes of its tables. */
import { wrong } from './address.ts';
import { parseAddress } from './address.ts';

export interface NatOptions {
  /**
   * Source addresses towards reals, at most 16 of each family, which are routed to this gateway and no other. Each carries
   * as many connections at a time as there are ports.
   */
  readonly addresses: readonly string[];
  /**
   * First and last port of each address. Default 1024 to 65535. If the addresses are the host's own, leave out what the
   * host itself uses (`net.ipv4.ip_local_port_range`).
   */
  readonly ports?: readonly [first: number, last: number];
  /** After how much silence a port is free again. */
  readonly timeouts?: NatTimeouts;
}

export interface NatTimeouts {
  /** Until the real has answered. Default 30 000. */
  readonly openingMs?: number;
  /** TCP. Default 7 440 000: two hours and four minutes, the least that RFC 5382 allows. */
  readonly tcpMs?: number;
  /** TCP after a reset, or a FIN from both sides. Default 60 000. */
  readonly closingMs?: number;
  /** UDP. Default 300 000, as RFC 4787 recommends. */
  readonly udpMs?: number;
}

/** What the program is loaded with. */
export interface ParsedNat {
  readonly families: ReadonlySet<4 | 6>;
  readonly constants: {
    readonly natSources4: Uint32Array;
    readonly natSources6: Uint32Array;
    readonly natCount4: number;
    readonly natCount6: number;
    readonly natFirstPort: number;
    readonly natPorts: number;
    readonly natIdleOpening: number;
    readonly natIdleTcp: number;
    readonly natIdleClosing: number;
    readonly natIdleUdp: number;
  };
  readonly entries: {
    readonly natConnections: number;
    readonly natFlows4: number;
    readonly natFlows6: number;
  };
}

/** `NAT_SOURCES` of the program. */
const MAX_ADDRESSES = 16;
/** The program counts in 2^30 ns. */
const TICK_MS = 2 ** 30 / 1e6;
const MAX_TIMEOUT_MS = 7 * 24 * 3_600_000;

/** @throws ConfigError */
export function parseNat(options: NatOptions | undefined): ParsedNat {
  const { addresses = [], ports: [first, last] = [1_024, 65_535], timeouts = {} } = options ?? {};
  const { openingMs = 30_000, tcpMs = 7_440_000, closingMs = 60_000, udpMs = 300_000 } = timeouts;
  if (!isPort(first) || !isPort(last) || first > last) {
    throw wrong('nat.ports', 'first and last of 1 to 65535', [first, last]);
  }
  if (options !== undefined && addresses.length === 0) {
    throw wrong('nat.addresses', 'at least one address', addresses);
  }
  const parsed = addresses.map((text, index) => parseAddress(text, `nat.addresses[${index}]`));
  const of = (family: 4 | 6): Uint8Array[] =>
    parsed.filter((address) => address.family === family).map(({ bytes }) => bytes);
  const [four, six] = [of(4), of(6)];
  if (four.length > MAX_ADDRESSES || six.length > MAX_ADDRESSES) {
    throw wrong('nat.addresses', `at most ${MAX_ADDRESSES} of each family`, addresses.length);
  }
  if (new Set(parsed.map(({ text }) => text)).size < parsed.length) {
    throw wrong('nat.addresses', 'each address once', addresses);
  }
  const ports = last - first + 1;
  return {
    families: new Set(parsed.map(({ family }) => family)),
    constants: {
      natSources4: words(four, 1),
      natSources6: words(six, 4),
      natCount4: four.length,
      natCount6: six.length,
      natFirstPort: first,
      natPorts: ports,
      natIdleOpening: ticks(openingMs, 'openingMs'),
      natIdleTcp: ticks(tcpMs, 'tcpMs'),
      natIdleClosing: ticks(closingMs, 'closingMs'),
      natIdleUdp: ticks(udpMs, 'udpMs'),
    },
    entries: {
      natConnections: Math.max(1, parsed.length * ports),
      natFlows4: Math.max(1, four.length * ports),
      natFlows6: Math.max(1, six.length * ports),
    },
  };
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function ticks(ms: number, name: string): number {
  if (Number.isFinite(ms) && ms >= 1_000 && ms <= MAX_TIMEOUT_MS) return Math.ceil(ms / TICK_MS);
  const range = `a number of milliseconds from 1000 to ${MAX_TIMEOUT_MS}`;
  throw wrong(`nat.timeouts.${name}`, range, ms);
}

/** Addresses one after the other, `count` words each, as they lie in packets. */
function words(addresses: readonly Uint8Array[], count: number): Uint32Array {
  const result = new Uint32Array(MAX_ADDRESSES * count);
  for (const [index, bytes] of addresses.entries()) {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let word = 0; word < count; word += 1) {
      result[index * count + word] = view.getUint32(4 * word, true);
    }
  }
  return result;
}
