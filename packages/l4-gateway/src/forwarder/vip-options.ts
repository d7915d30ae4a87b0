/** What a VIP does beyond spreading flows: what is hashed, which packets are taken, what happens to flows of dead reals. */
import { wrong } from './address.ts';
import { DEFAULT_GUE_PORT, type ForwardMode, parseForwardMode } from './forward-mode.ts';
import { type Limits as LimitsRecord, VipFlag } from './generated/forwarder.ts';
import { type Limits, parseLimits } from './guard-options.ts';

/** What places a flow on the ring of a VIP. Flows that are equal in it get the same real. */
export type HashInput =
  '5-tuple' | 'no-source-port' | 'destination-port' | 'source' | 'source-destination';

/** Flows that have been silent for so long are placed by the ring again. */
export interface FlowTimeouts {
  /** Default 9 000 000: two and a half hours, more than TCP's keepalive. */
  readonly tcpMs?: number;
  /** After a FIN or RST of the client. Default 30 000. */
  readonly closingMs?: number;
  /** UDP and what else is not TCP. Default 60 000. */
  readonly udpMs?: number;
}

export interface VipOptions {
  /** How packets get to reals that do not say so themselves. Default `ipip`. */
  readonly forward?: ForwardMode;
  /** UDP port of `gue`, 1 to 65535. Default 6080. */
  readonly guePort?: number;
  /** Default `5-tuple`: addresses and ports. */
  readonly hash?: HashInput;
  /**
   * `three-tuple`: all packets of the VIP are placed by addresses and protocol alone, so that fragments, which have no
   * ports, go where the rest goes; one VIP of an address and protocol can do so. Default `drop`: fragments are dropped.
   */
  readonly fragments?: 'drop' | 'three-tuple';
  /** IPv4 options and IPv6 extension headers: carried to the real as they are, or dropped. Default `drop`. */
  readonly options?: 'drop' | 'forward';
  /** Echo requests for the address. Default `answer`; `drop` wins when VIPs of one address differ. */
  readonly echo?: 'answer' | 'drop';
  /**
   * QUIC: packets whose connection id names a real (`serverId`) go there, whatever address they come from. The id begins
   * with one octet of the server's choice, then has `serverIdBytes` octets, 1 to 8.
   */
  readonly quic?: { readonly serverIdBytes: number };
  /**
   * Remembered flows of a real that is `down`: placed anew (`rehash`, the default), left there as while draining
   * (`keep`), or, TCP, answered with a reset so that the client connects again at once (`reset`).
   */
  readonly deadReals?: 'rehash' | 'keep' | 'reset';
  readonly flowTimeouts?: FlowTimeouts;
  /** How much the VIP takes; needs `guard` of the forwarder. Default: everything. */
  readonly limits?: Limits;
}

/** Options that have been checked. */
export interface ParsedVipOptions {
  readonly flags: number;
  readonly serverIdBytes: number;
  readonly forward: ForwardMode;
  readonly guePort: number;
  readonly limits: LimitsRecord;
  readonly deadReals: 'rehash' | 'keep' | 'reset';
  /** Whole seconds. */
  readonly idle: { readonly tcp: number; readonly closing: number; readonly udp: number };
}

/** What does not count, by what does. */
const HASH_FLAGS: Readonly<Record<HashInput, number>> = {
  '5-tuple': 0,
  'no-source-port': VipFlag.VIP_NO_SOURCE_PORT,
  'destination-port':
    VipFlag.VIP_NO_SOURCE | VipFlag.VIP_NO_SOURCE_PORT | VipFlag.VIP_NO_DESTINATION,
  source: VipFlag.VIP_NO_SOURCE_PORT | VipFlag.VIP_NO_DESTINATION | VipFlag.VIP_NO_DESTINATION_PORT,
  'source-destination': VipFlag.VIP_NO_SOURCE_PORT | VipFlag.VIP_NO_DESTINATION_PORT,
};

const FRAGMENT_FLAGS = { drop: 0, 'three-tuple': VipFlag.VIP_THREE_TUPLE } as const;
const OPTION_FLAGS = { drop: 0, forward: VipFlag.VIP_OPTIONS } as const;
const ECHO_FLAGS = { answer: 0, drop: VipFlag.VIP_NO_ECHO } as const;
const DEAD_REALS = { rehash: 'rehash', keep: 'keep', reset: 'reset' } as const;

/** The program counts seconds in 15 bits. */
const MAX_IDLE_MS = 28_800_000;
const MAX_SERVER_ID_BYTES = 8;

function choose<T>(table: Readonly<Record<string, T>>, name: string, path: string): T {
  if (Object.hasOwn(table, name)) return table[name] as T;
  const names = Object.keys(table).map((key) => JSON.stringify(key));
  throw wrong(path, `one of ${names.join(', ')}`, name);
}

function seconds(ms: number, path: string): number {
  if (Number.isFinite(ms) && ms >= 1_000 && ms <= MAX_IDLE_MS) return Math.ceil(ms / 1_000);
  throw wrong(path, `a number of milliseconds from 1000 to ${MAX_IDLE_MS}`, ms);
}

function parseGuePort(port: number): number {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw wrong('guePort', 'an integer from 1 to 65535', port);
}

/** @throws ConfigError */
export function parseVipOptions(options: VipOptions = {}): ParsedVipOptions {
  const {
    hash = '5-tuple',
    fragments = 'drop',
    echo = 'answer',
    quic,
    flowTimeouts = {},
  } = options;
  const { tcpMs = 9_000_000, closingMs = 30_000, udpMs = 60_000 } = flowTimeouts;
  const bytes = quic?.serverIdBytes ?? 0;
  if (
    quic !== undefined &&
    !(Number.isInteger(bytes) && bytes >= 1 && bytes <= MAX_SERVER_ID_BYTES)
  ) {
    throw wrong('quic.serverIdBytes', `an integer from 1 to ${MAX_SERVER_ID_BYTES}`, bytes);
  }
  return {
    flags:
      choose(HASH_FLAGS, hash, 'hash') |
      choose(FRAGMENT_FLAGS, fragments, 'fragments') |
      choose(OPTION_FLAGS, options.options ?? 'drop', 'options') |
      choose(ECHO_FLAGS, echo, 'echo') |
      (quic === undefined ? 0 : VipFlag.VIP_QUIC),
    serverIdBytes: bytes,
    forward: parseForwardMode(options.forward ?? 'ipip', 'forward'),
    guePort: parseGuePort(options.guePort ?? DEFAULT_GUE_PORT),
    limits: parseLimits(options.limits ?? {}, 'limits'),
    deadReals: choose(DEAD_REALS, options.deadReals ?? 'rehash', 'deadReals'),
    idle: {
      tcp: seconds(tcpMs, 'flowTimeouts.tcpMs'),
      closing: seconds(closingMs, 'flowTimeouts.closingMs'),
      udp: seconds(udpMs, 'flowTimeouts.udpMs'),
    },
  };
}
