import { type IpAddress, parseAddress, parseMac, wrong } from './address.ts';

export type Protocol = 'tcp' | 'udp';

/** A virtual address: what clients connect to. */
export interface Vip {
  readonly address: string;
  /** 1 to 65535. */
  readonly port: number;
  readonly protocol: Protocol;
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
  /** `10.0.0.1:80/tcp`; equal VIPs have equal names. */
  readonly name: string;
  readonly vip: Vip;
  readonly address: IpAddress;
}

export interface ParsedReal {
  readonly address: IpAddress;
  readonly weight: number;
  readonly nextHop: Uint8Array;
}

export const PROTOCOL_NUMBERS: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17 };

const MAX_WEIGHT = 65_535;

export function parseVip(vip: Vip): ParsedVip {
  const address = parseAddress(vip.address, 'vip.address');
  const port = parsePort(vip.port, 'vip.port');
  if (!Object.hasOwn(PROTOCOL_NUMBERS, vip.protocol)) {
    throw wrong('vip.protocol', '"tcp" or "udp"', vip.protocol);
  }
  const host = address.family === 6 ? `[${address.text}]` : address.text;
  return {
    name: `${host}:${port}/${vip.protocol}`,
    vip: { address: address.text, port, protocol: vip.protocol },
    address,
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
    const { weight = 1, nextHop } = real;
    if (!(Number.isInteger(weight) && weight >= 0 && weight <= MAX_WEIGHT)) {
      throw wrong(`${path}.weight`, `an integer from 0 to ${MAX_WEIGHT}`, weight);
    }
    if (parsed.has(address.text)) throw wrong(`${path}.address`, 'each real once', real.address);
    parsed.set(address.text, {
      address,
      weight,
      nextHop: nextHop === undefined ? defaultNextHop : parseMac(nextHop, `${path}.nextHop`),
    });
  }
  return parsed;
}
