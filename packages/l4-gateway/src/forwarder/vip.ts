import { type IpAddress, parseAddress, parseMac, wrong } from './address.ts';
import { type ForwardMode, parseForwardMode } from './forward-mode.ts';
import { parsePrefix } from './prefix.ts';

export type Protocol = 'tcp' | 'udp';

/** A virtual address: what clients connect to. */
export interface Vip {
  /** An address, or a prefix such as `198.51.100.0/24`: all its addresses. */
  readonly address: string;
  /** 1 to 65535, or all ports that no other VIP has. */
  readonly port: number | 'any';
  /** `any`: TCP and UDP, and with all ports every other protocol but ICMP too. */
  readonly protocol: Protocol | 'any';
}

/** A server behind a VIP. It takes the outer header off and answers the client from the VIP's address. */
export interface Real {
  /** IPv4 or IPv6, whichever family the VIP has. */
  readonly address: string;
  /**
   * Share of new flows relative to the others, 0 to 65535. Default 1. With 0 it gets no new flows and keeps those that
   * the gateway remembers: it drains.
   */
  readonly weight?: number;
  /** Ethernet address that its packets are sent to. Default: the gateway's. */
  readonly nextHop?: string;
  /** It is dead: it gets no new flows, and the VIP's `deadReals` says what becomes of the others. Default false. */
  readonly down?: boolean;
  /** How packets get there. Default: as the VIP's options say. */
  readonly forward?: ForwardMode;
  /** The port that it listens at, for `forward: 'nat'`. Default: the one that the packet came to. */
  readonly port?: number;
  /** It is this host: packets go up to its own sockets as they came (`XDP_PASS`). Default false. */
  readonly local?: boolean;
  /** What its QUIC connection ids say, in hexadecimal, `serverIdBytes` octets of the VIP. */
  readonly serverId?: string;
}

/** The five numbers that tell flows apart. */
export interface Flow {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly protocol: Protocol;
}

/** A VIP that has been checked. */
export interface ParsedVip {
  /** `10.0.0.1:80/tcp`, `10.0.0.0/24:any/any`; equal VIPs have equal names. */
  readonly name: string;
  readonly vip: Vip;
  readonly address: IpAddress;
  /** Of the address that count: 32 or 128, less for a prefix. */
  readonly bits: number;
  /** 0: all. */
  readonly port: number;
  /** As in IP headers; 0: all. */
  readonly protocol: number;
}

export interface ParsedReal {
  readonly address: IpAddress;
  readonly weight: number;
  readonly nextHop: Uint8Array;
  readonly isDown: boolean;
  readonly isLocal: boolean;
  readonly forward: ForwardMode | undefined;
  /** 0: that of the packet. */
  readonly port: number;
  readonly serverId: Uint8Array | undefined;
}

export const PROTOCOL_NUMBERS: Readonly<Record<Protocol | 'any', number>> = {
  tcp: 6,
  udp: 17,
  any: 0,
};

const MAX_WEIGHT = 65_535;

export function parseVip(vip: Vip): ParsedVip {
  const { address, bits, text } = parsePrefix(vip.address, 'vip.address');
  const isWhole = bits === (address.family === 4 ? 32 : 128);
  const shown = isWhole ? address.text : text;
  const port = vip.port === 'any' ? 'any' : parsePort(vip.port, 'vip.port');
  if (!Object.hasOwn(PROTOCOL_NUMBERS, vip.protocol)) {
    throw wrong('vip.protocol', '"tcp", "udp" or "any"', vip.protocol);
  }
  return {
    name: `${address.family === 6 ? `[${shown}]` : shown}:${port}/${vip.protocol}`,
    vip: { address: shown, port, protocol: vip.protocol },
    address,
    bits,
    port: port === 'any' ? 0 : port,
    protocol: PROTOCOL_NUMBERS[vip.protocol],
  };
}

export function parsePort(port: number, path: string): number {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw wrong(path, 'an integer from 1 to 65535', port);
}

/** By address. @throws ConfigError for a wrong or repeated real */
export function parseReals(
  reals: readonly Real[],
  defaultNextHop: Uint8Array,
): ReadonlyMap<string, ParsedReal> {
  const parsed = new Map<string, ParsedReal>();
  for (const [index, real] of reals.entries()) {
    const path = `reals[${index}]`;
    const address = parseAddress(real.address, `${path}.address`);
    const { weight = 1, nextHop, down = false, local = false, serverId, forward, port } = real;
    if (!(Number.isInteger(weight) && weight >= 0 && weight <= MAX_WEIGHT)) {
      throw wrong(`${path}.weight`, `an integer from 0 to ${MAX_WEIGHT}`, weight);
    }
    if (parsed.has(address.text)) throw wrong(`${path}.address`, 'each real once', real.address);
    parsed.set(address.text, {
      address,
      weight,
      nextHop: nextHop === undefined ? defaultNextHop : parseMac(nextHop, `${path}.nextHop`),
      isDown: down,
      isLocal: local,
      forward: forward === undefined ? undefined : parseForwardMode(forward, `${path}.forward`),
      port: port === undefined ? 0 : parsePort(port, `${path}.port`),
      serverId: serverId === undefined ? undefined : parseServerId(serverId, `${path}.serverId`),
    });
  }
  return parsed;
}

function parseServerId(text: string, path: string): Uint8Array {
  if (/^([\da-f]{2}){1,8}$/iu.test(text)) return Uint8Array.from(Buffer.from(text, 'hex'));
  throw wrong(path, '1 to 8 octets in hexadecimal', text);
}
