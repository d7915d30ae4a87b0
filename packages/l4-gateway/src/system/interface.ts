/** What the kernel says about network interfaces of this namespace, by ioctl(2): `/sys` may show another namespace's. */
import { addressOf, libc, stableMemory } from './libc.ts';

/** Requests of <linux/sockios.h>, subcommands of <linux/ethtool.h>, flags of <linux/if.h>. */
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCGIFNAME = 0x8910;
const SIOCGIFFLAGS = 0x8913;
const SIOCGIFMTU = 0x8921;
const SIOCGIFHWADDR = 0x8927;
const SIOCGIFINDEX = 0x8933;
const SIOCETHTOOL = 0x8946;
const ETHTOOL_GDRVINFO = 0x03;
const ETHTOOL_GRXCSUM = 0x14;
const ETHTOOL_GTXCSUM = 0x16;
const ETHTOOL_GSTRINGS = 0x1b;
const ETHTOOL_GSTATS = 0x1d;
const ETHTOOL_GFLAGS = 0x25;
const ETHTOOL_GGRO = 0x2b;
const ETH_SS_STATS = 1;
const ETH_FLAG_LRO = 1 << 15;
const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;

/** `struct ifreq`: 16 bytes of name, 24 of whatever the request is about. */
const REQUEST_BYTES = 40;
const NAME_BYTES = 16;
/** `struct ethtool_drvinfo`: its size, and where the number of statistics stands. */
const DRIVER_BYTES = 196;
const STATISTICS_OFFSET = 180;
const STATISTIC_NAME_BYTES = 32;

export interface InterfaceInfo {
  readonly name: string;
  readonly index: number;
  readonly isUp: boolean;
  /** Is there a carrier? */
  readonly isRunning: boolean;
  readonly mtu: number;
  readonly mac: string;
  /** Name of the driver: `veth`, `virtio_net`, `ixgbe`; undefined where it does not tell. */
  readonly driver: string | undefined;
  /** Undefined where the driver does not know the feature. */
  readonly offloads: {
    readonly txChecksum: boolean | undefined;
    readonly rxChecksum: boolean | undefined;
    readonly gro: boolean | undefined;
    readonly lro: boolean | undefined;
  };
}

/** Undefined when there is no such interface. */
export function readInterface(name: string): InterfaceInfo | undefined {
  return withSocket((call) => {
    const ask = (request: number): Buffer | undefined => {
      const memory = requestFor(name);
      return call(request, memory) ? memory : undefined;
    };
    const flags = ask(SIOCGIFFLAGS)?.readUInt16LE(NAME_BYTES);
    if (flags === undefined) return undefined;
    const flag = (command: number): boolean | undefined => {
      const value = ethtool(call, name, { command, bytes: 8 })?.readUInt32LE(4);
      return value === undefined ? undefined : value !== 0;
    };
    const all = ethtool(call, name, { command: ETHTOOL_GFLAGS, bytes: 8 })?.readUInt32LE(4);
    const mac = ask(SIOCGIFHWADDR)?.subarray(NAME_BYTES + 2, NAME_BYTES + 8);
    const driver = ethtool(call, name, { command: ETHTOOL_GDRVINFO, bytes: DRIVER_BYTES });
    return {
      name,
      index: ask(SIOCGIFINDEX)?.readInt32LE(NAME_BYTES) ?? 0,
      isUp: (flags & IFF_UP) !== 0,
      isRunning: (flags & IFF_RUNNING) !== 0,
      mtu: ask(SIOCGIFMTU)?.readInt32LE(NAME_BYTES) ?? 0,
      mac: Array.from(mac ?? new Uint8Array(6), hexByte).join(':'),
      driver: driver && textIn(driver.subarray(4, 36)),
      offloads: {
        txChecksum: flag(ETHTOOL_GTXCSUM),
        rxChecksum: flag(ETHTOOL_GRXCSUM),
        gro: flag(ETHTOOL_GGRO),
        lro: all === undefined ? undefined : (all & ETH_FLAG_LRO) !== 0,
      },
    };
  });
}

/** The name of an interface by its index; undefined when there is none. */
export function interfaceName(index: number): string | undefined {
  return withSocket((call) => {
    const memory = stableMemory(REQUEST_BYTES);
    memory.writeInt32LE(index, NAME_BYTES);
    return call(SIOCGIFNAME, memory) ? textIn(memory.subarray(0, NAME_BYTES)) : undefined;
  });
}

/** The driver's own counters, by name; empty where it has none. */
export function interfaceStatistics(name: string): ReadonlyMap<string, bigint> {
  return withSocket((call) => {
    const driver = ethtool(call, name, { command: ETHTOOL_GDRVINFO, bytes: DRIVER_BYTES });
    const count = driver?.readUInt32LE(STATISTICS_OFFSET) ?? 0;
    const found = new Map<string, bigint>();
    if (count === 0) return found;
    const names = ethtool(call, name, {
      ...{ command: ETHTOOL_GSTRINGS, bytes: 12 + STATISTIC_NAME_BYTES * count },
      words: [ETH_SS_STATS, count],
    });
    const values = ethtool(call, name, {
      ...{ command: ETHTOOL_GSTATS, bytes: 8 + 8 * count },
      words: [count],
    });
    if (names === undefined || values === undefined) return found;
    for (let index = 0; index < count; index += 1) {
      const at = 12 + STATISTIC_NAME_BYTES * index;
      const text = textIn(names.subarray(at, at + STATISTIC_NAME_BYTES));
      found.set(text, values.readBigUInt64LE(8 + 8 * index));
    }
    return found;
  });
}

type Call = (request: number, memory: Buffer) => boolean;

function withSocket<T>(use: (call: Call) => T): T {
  const { socket, ioctl, close } = libc();
  const fd = socket(AF_INET, SOCK_DGRAM, 0);
  try {
    return use((request, memory) => ioctl(fd, request, memory) === 0);
  } finally {
    if (fd >= 0) close(fd);
  }
}

interface Ethtool {
  readonly command: number;
  /** Size of the answer, the command at its head included. */
  readonly bytes: number;
  /** What follows the command. */
  readonly words?: readonly number[];
}

function ethtool(
  call: Call,
  name: string,
  { command, bytes, words = [] }: Ethtool,
): Buffer | undefined {
  const value = stableMemory(bytes);
  [command, ...words].forEach((word, index) => value.writeUInt32LE(word, 4 * index));
  const memory = requestFor(name);
  memory.writeBigUInt64LE(addressOf(value), NAME_BYTES);
  return call(SIOCETHTOOL, memory) ? value : undefined;
}

function requestFor(name: string): Buffer {
  const memory = stableMemory(REQUEST_BYTES);
  memory.write(name, 0, NAME_BYTES - 1, 'latin1');
  return memory;
}

function textIn(memory: Buffer): string {
  const text = memory.toString('latin1');
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
