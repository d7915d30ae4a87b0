import type { XdpMode } from '@evenkeel/bpf';
import { wrong } from '../forwarder/address.ts';
import { type IpPrefix, parsePrefix } from '../forwarder/prefix.ts';

/** What a gateway may have wrapped around a packet. */
export type Encapsulation = 'ipip' | 'gue' | 'gre';

export const ENCAPSULATIONS: readonly Encapsulation[] = ['ipip', 'gue', 'gre'];

export interface RealOptions {
  /** Virtual addresses or prefixes that this machine serves. */
  readonly vips: readonly string[];
  /** Where packets of gateways come in. */
  readonly interface: string;
  /** What is taken off. Default: all three. */
  readonly encapsulations?: readonly Encapsulation[];
  /**
   * Outer sources that are believed: `outerSource` of the gateways. Default 172.16.0.0/16 and 100::/96, their default.
   * Whoever can send with such a source can put packets to the VIPs past a firewall in front: filter it at the edge.
   */
  readonly gateways?: readonly string[];
  /** Outer destinations: the address that the gateways know this real by. Default: those of the interface. */
  readonly addresses?: readonly string[];
  /** UDP destination port of GUE. Default 6080. */
  readonly guePort?: number;
  /**
   * Where the outer header is taken off: in `xdp`, which is faster, or at `tc` ingress (TCX, Linux 6.6), which works
   * with VLAN and bonding devices and beside another XDP program. Default `auto`: XDP, and `tc` where that fails.
   */
  readonly hook?: 'auto' | 'xdp' | 'tc';
  /** Of XDP. Default `auto`: in the driver if it can, else generic. */
  readonly mode?: XdpMode;
  /**
   * The largest TCP segment that clients may send, told in SYN packets that leave from a VIP (TCX, Linux 6.6): a number
   * from 536 to 9000 for both families, `keep` for what the system says, or `auto`: what fits into the interface's MTU with
   * the outer header, if that is less than on Ethernet. Default `auto`.
   */
  readonly mss?: 'auto' | 'keep' | number;
  /** Where the record of changes is kept, so that a crash can be tidied up. Default `/run/evenkeel`. */
  readonly stateFolder?: string;
}

export interface ParsedRealOptions {
  readonly vips: readonly IpPrefix[];
  readonly interface: string;
  readonly encapsulations: readonly Encapsulation[];
  readonly gateways: readonly IpPrefix[];
  /** Undefined: those of the interface. */
  readonly addresses: readonly IpPrefix[] | undefined;
  readonly guePort: number;
  readonly hook: 'auto' | 'xdp' | 'tc';
  readonly mode: XdpMode;
  readonly mss: 'auto' | 'keep' | number;
  readonly stateFolder: string;
}

const HOOKS = ['auto', 'xdp', 'tc'] as const;
const MODES = ['auto', 'native', 'generic', 'offload'] as const;
/** Of the program's tables. */
const MAX_PREFIXES = 1_024;
export const DEFAULT_STATE_FOLDER = '/run/evenkeel';

/** @throws ConfigError */
export function parseRealOptions(options: RealOptions): ParsedRealOptions {
  const { encapsulations = ENCAPSULATIONS, guePort = 6_080, mss = 'auto' } = options;
  const { hook = 'auto', mode = 'auto', stateFolder = DEFAULT_STATE_FOLDER } = options;
  const prefixes = (name: string, texts: readonly string[]): IpPrefix[] => {
    if (texts.length === 0 || texts.length > MAX_PREFIXES) {
      throw wrong(name, `1 to ${MAX_PREFIXES} addresses or prefixes`, texts.length);
    }
    return texts.map((text, index) => parsePrefix(text, `${name}[${index}]`));
  };
  assertInterface(options.interface);
  if (encapsulations.length === 0 || !encapsulations.every((one) => ENCAPSULATIONS.includes(one))) {
    throw wrong('encapsulations', `some of ${ENCAPSULATIONS.join(', ')}`, encapsulations);
  }
  if (!isBetween(guePort, 1, 65_535)) throw wrong('guePort', 'an integer from 1 to 65535', guePort);
  if (!HOOKS.includes(hook)) throw wrong('hook', HOOKS.join(', '), hook);
  if (!MODES.includes(mode)) throw wrong('mode', MODES.join(', '), mode);
  if (typeof mss === 'number' ? !isBetween(mss, 536, 9_000) : mss !== 'auto' && mss !== 'keep') {
    throw wrong('mss', '"auto", "keep" or an integer from 536 to 9000', mss);
  }
  return {
    vips: prefixes('vips', options.vips),
    interface: options.interface,
    encapsulations,
    gateways: prefixes('gateways', options.gateways ?? ['172.16.0.0/16', '100::/96']),
    addresses:
      options.addresses === undefined ? undefined : prefixes('addresses', options.addresses),
    guePort,
    hook,
    mode,
    mss,
    stateFolder,
  };
}

/** The name becomes part of paths. @throws ConfigError unless it can be one of an interface */
export function assertInterface(name: string): void {
  if (/^[^\s/]{1,15}$/u.test(name) && name !== '.' && name !== '..') return;
  throw wrong('interface', 'the name of a network interface', name);
}

function isBetween(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
