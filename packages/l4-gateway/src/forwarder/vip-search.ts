/** Which VIP a flow is for, in the order of `bpf/lookup.h`. */
import { type IpAddress, parseAddress, wrong } from './address.ts';
import type { FlowBytes } from './flow-hash.ts';
import { type Flow, type ParsedVip, parsePort, PROTOCOL_NUMBERS, type Protocol } from './vip.ts';

export interface Destination {
  readonly address: IpAddress;
  readonly port: number;
  readonly protocol: Protocol;
}

/** Where a new flow would go. */
export interface FlowPlace {
  /** Name of the VIP that takes it. */
  readonly vip: string;
  /** Which of the VIP's source routes it takes, counted from 0; undefined: none. */
  readonly route: number | undefined;
  /** Undefined: there is no real, and it is dropped. */
  readonly real: string | undefined;
}

/** Port and protocol alike, the port in none: as often as one of them is left open. */
function rank({ port, protocol }: ParsedVip): number {
  return (port === 0 ? 1 : 0) + (protocol === 0 ? 2 : 0);
}

function isFor(vip: ParsedVip, { address, port, protocol }: Destination): boolean {
  if (vip.address.family !== address.family) return false;
  if (vip.port !== 0 && vip.port !== port) return false;
  if (vip.protocol !== 0 && vip.protocol !== PROTOCOL_NUMBERS[protocol]) return false;
  return startsAlike(vip.address.bytes, address.bytes, vip.bits);
}

/** Whole addresses before prefixes; in each, the more that is said the better; then the longer prefix. */
function isBetter(a: ParsedVip, b: ParsedVip): boolean {
  const whole = a.address.family === 4 ? 32 : 128;
  if ((a.bits === whole) !== (b.bits === whole)) return a.bits === whole;
  return rank(a) === rank(b) ? a.bits > b.bits : rank(a) < rank(b);
}

export function findVip<T extends { readonly parsed: ParsedVip }>(
  services: Iterable<T>,
  destination: Destination,
): T | undefined {
  let best: T | undefined;
  for (const service of services) {
    if (!isFor(service.parsed, destination)) continue;
    if (best === undefined || isBetter(service.parsed, best.parsed)) best = service;
  }
  return best;
}

/** @throws ConfigError for a flow that cannot be: ends of different families, ports that are none */
export function parseFlow(flow: Flow): Destination & { readonly bytes: FlowBytes } {
  const { protocol } = flow;
  const address = parseAddress(flow.destination, 'flow.destination');
  const source = parseAddress(flow.source, 'flow.source');
  if (!Object.hasOwn(PROTOCOL_NUMBERS, protocol)) {
    throw wrong('flow.protocol', '"tcp" or "udp"', protocol);
  }
  const port = parsePort(flow.destinationPort, 'flow.destinationPort');
  if (source.family !== address.family) {
    throw wrong('flow.source', `an IPv${address.family} address`, flow.source);
  }
  const bytes = {
    family: source.family,
    source: source.bytes,
    destination: address.bytes,
    sourcePort: parsePort(flow.sourcePort, 'flow.sourcePort'),
    destinationPort: port,
    protocol: PROTOCOL_NUMBERS[protocol],
  };
  return { address, port, protocol, bytes };
}

/** Are the first `bits` the same? */
export function startsAlike(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  for (let at = 0; at < bits; at += 8) {
    const mask = (0xff00 >> Math.min(8, bits - at)) & 0xff;
    if ((((a[at >> 3] as number) ^ (b[at >> 3] as number)) & mask) !== 0) return false;
  }
  return true;
}
