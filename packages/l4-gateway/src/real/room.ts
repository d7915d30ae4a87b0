/** How much of an interface's MTU the tunnel leaves to packets of clients. */
import type { IpPrefix } from '../forwarder/prefix.ts';
import type { Encapsulation, ParsedRealOptions } from './options.ts';

/** What a client on Ethernet may send. */
const CLIENT_MTU = 1_500;
const OUTER_IP = { 4: 20, 6: 40 } as const;
const BETWEEN: Readonly<Record<Encapsulation, number>> = { ipip: 0, gue: 8, gre: 4 };
/** IP and TCP without options. */
const INNER_HEADERS = { ipv4: 40, ipv6: 60 } as const;

export interface Room {
  /** Bytes that the outer header takes, at most. */
  readonly overhead: number;
  /** Largest MSS to tell clients; 0: no need, or not wanted. */
  readonly largestMss: { readonly ipv4: number; readonly ipv6: number };
  /** Undefined when everything fits. */
  readonly warning: string | undefined;
}

export function measureRoom(
  options: Pick<ParsedRealOptions, 'encapsulations' | 'mss' | 'interface'>,
  { mtu, addresses }: { readonly mtu: number; readonly addresses: readonly IpPrefix[] },
): Room {
  const outer = Math.max(...addresses.map(({ address }) => OUTER_IP[address.family]));
  const between = Math.max(...options.encapsulations.map((name) => BETWEEN[name]));
  const overhead = outer + between;
  const isTight = mtu < CLIENT_MTU + overhead;
  const fitting = (headers: number): number => {
    if (options.mss === 'keep') return 0;
    if (options.mss !== 'auto') return options.mss;
    return isTight ? mtu - overhead - headers : 0;
  };
  const largestMss = {
    ipv4: fitting(INNER_HEADERS.ipv4),
    ipv6: fitting(INNER_HEADERS.ipv6),
  };
  const needed = CLIENT_MTU + overhead;
  const cure = `ip link set dev ${options.interface} mtu ${needed}`;
  const cause = `MTU ${mtu} of ${options.interface} leaves ${mtu - overhead} bytes to a client's packet`;
  const isHelped = largestMss.ipv4 > 0 && largestMss.ipv4 <= mtu - overhead - INNER_HEADERS.ipv4;
  const effect = isHelped
    ? `TCP clients are told so (MSS ${largestMss.ipv4}); larger UDP packets are lost`
    : 'small requests work and uploads stall';
  const warning = isTight
    ? `${cause}: ${effect}. To cure it, here and on the way: ${cure}`
    : undefined;
  return { overhead, largestMss, warning };
}
