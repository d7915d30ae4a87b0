import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Where a registry is: a name or an IP address. */
export interface RegistryPlace {
  readonly host: string;
  readonly port: number;
}

/** Set aside for documentation (RFC 5737): nobody is there, and the way to it is the default route. */
const ANYWHERE: RegistryPlace = { host: '192.0.2.1', port: 9 };

/**
 * The IP address that others most likely reach this host at: the one that it uses itself on its way to the registry.
 * Where the registry runs on this very host, that says nothing, and the address on the default route is taken, else that
 * of the first interface that leads outside. No packet is sent.
 *
 * Behind address translation, in a container for instance, nobody inside can know the answer: give the address then.
 *
 * @throws Error when the name of the registry cannot be resolved or no route leads to it
 */
export async function findOwnAddress(registry: RegistryPlace): Promise<string> {
  const towards = await localAddressTowards(registry);
  if (!isLoopback(towards)) return towards;
  try {
    const outward = await localAddressTowards(ANYWHERE);
    if (!isLoopback(outward)) return outward;
  } catch {
    // No default route.
  }
  return firstOutwardAddress() ?? towards;
}

/** Is it one of our own addresses? Then the registry, or its agent, runs on this host. */
export function isOwnAddress(host: string): boolean {
  if (host === 'localhost' || isLoopback(host)) return true;
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === host),
  );
}

/** To connect a UDP socket is to look up the route, and with it the source address; nothing else happens. */
async function localAddressTowards({ host, port }: RegistryPlace): Promise<string> {
  const { address, family } = await lookup(host);
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    return await new Promise<string>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(port, address, () => resolve(socket.address().address));
    });
  } finally {
    socket.close();
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./i.test(address);
}

function firstOutwardAddress(): string | undefined {
  const outward = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    // Link-local addresses mean something on one link only.
    .filter(({ internal, address }) => !internal && !/^(169\.254\.|fe[89ab])/i.test(address))
    .map(({ address }) => address);
  return outward.find((address) => !isIPv6(address)) ?? outward[0];
}
