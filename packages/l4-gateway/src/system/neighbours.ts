/** Routes and neighbours of this network namespace, from `/proc/net`: nothing has to be installed for it. */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

export interface DefaultRoute {
  readonly interface: string;
  readonly gateway: string;
  readonly metric: number;
}

/** RTF_UP and RTF_GATEWAY of <linux/route.h>. */
const UP_AND_GATEWAY = 3;

/** The IPv4 default routes through a router, best first, as `/proc/net/route` has them. */
export function parseDefaultRoutes(text: string): DefaultRoute[] {
  const routes = text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/u))
    .filter(([name, destination, , flags, , , , mask]) => {
      const isDefault = destination === '00000000' && mask === '00000000';
      const bits = Number.parseInt(flags ?? '0', 16);
      return name !== undefined && isDefault && (bits & UP_AND_GATEWAY) === UP_AND_GATEWAY;
    })
    .map(([name = '', , gateway = '', , , , metric = '0']) => ({
      interface: name,
      gateway: littleEndianAddress(gateway),
      metric: Number(metric),
    }));
  return routes.sort((a, b) => a.metric - b.metric);
}

/** `0101A8C0` is 192.168.1.1: the file prints the address as a number of the machine, and the machine is little-endian. */
function littleEndianAddress(hex: string): string {
  const value = Number.parseInt(hex, 16);
  return [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff).join('.');
}

export interface Neighbour {
  readonly address: string;
  readonly interface: string;
  readonly mac: string;
}

/** ATF_COM of <linux/if_arp.h>: the Ethernet address is known. */
const COMPLETE = 2;

/** The IPv4 neighbours that are known, as `/proc/net/arp` has them. */
export function parseNeighbours(text: string): Neighbour[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/u))
    .filter(([, , flags, mac]) => {
      const isComplete = (Number.parseInt(flags ?? '0', 16) & COMPLETE) !== 0;
      return isComplete && mac !== undefined && mac !== '00:00:00:00:00:00';
    })
    .map(([address = '', , , mac = '', , name = '']) => ({ address, interface: name, mac }));
}

export function defaultRoutes(): DefaultRoute[] {
  return parseDefaultRoutes(readFileSync('/proc/net/route', 'utf8'));
}

/** The Ethernet address of a neighbour; undefined while the kernel does not know it. */
export function neighbourOf(address: string, name: string): string | undefined {
  const known = parseNeighbours(readFileSync('/proc/net/arp', 'utf8'));
  return known.find((entry) => entry.address === address && entry.interface === name)?.mac;
}

/** Port that nobody listens on: the discard service (RFC 863). */
const DISCARD = 9;

/** Sends a datagram to an address, so that the kernel asks for its Ethernet address. */
export function askForNeighbour(address: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = createSocket('udp4');
  const end = (): void => {
    socket.close();
    resolve();
  };
  socket.on('error', () => undefined);
  // Whether it can be sent is of no interest: what the kernel learned on the way is.
  socket.send(new Uint8Array(1), DISCARD, address, end);
  return promise;
}

/** All addresses of this network namespace. */
export function ownAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.map(({ address }) => address));
}
