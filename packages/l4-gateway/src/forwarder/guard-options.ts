/** What the guard is asked to do, checked. */
import { wrong } from './address.ts';
import type { Limit, Limits as LimitsRecord } from './generated/forwarder.ts';
import { type IpPrefix, parsePrefix } from './prefix.ts';

/** How often something may happen, on each CPU by itself. */
export interface Rate {
  /** 1 to 100 000 000. */
  readonly perSecond: number;
  /**
   * How many may come at once after a pause. Default: what comes in a tenth of a second, at least 10. At least what comes
   * in 20 ms, because the program's clock goes in steps of up to 10 ms.
   */
  readonly burst?: number;
}

export interface Limits {
  /** Every packet. */
  readonly packets?: Rate;
  /** Packets of flows that the gateway does not know: TCP's SYN, the first datagram of UDP. */
  readonly newFlows?: Rate;
}

/** Makes room for a guard; what it does is said by {@link GuardRules}. */
export interface GuardOptions {
  /**
   * Whether every packet is looked at, which access lists and limits of packets take; it costs some ten nanoseconds.
   * Without, only packets of new flows are. Default true.
   */
  readonly everyPacket?: boolean;
  /** Sources that each CPU knows by their limits, 1024 to 16777216; 32 bytes each. Default 65536. */
  readonly trackedSources?: number;
}

/** Who may come in. Only what is for a VIP is judged. */
export interface GuardRules {
  /** Prefixes of sources. The longest that fits counts. */
  readonly deny?: readonly string[];
  readonly allow?: readonly string[];
  /** For sources that neither list mentions. Default `allow`. */
  readonly others?: 'allow' | 'deny';
  /** Limits of each source: an IPv4 address, or an IPv6 network of 64 bits. */
  readonly perSource?: Limits;
}

export interface ParsedGuard {
  readonly isInspecting: boolean;
  readonly isOpen: boolean;
  /** Buckets of two sources, of each CPU. */
  readonly sourceBuckets: number;
}

export interface ParsedRules {
  readonly deny: readonly IpPrefix[];
  readonly allow: readonly IpPrefix[];
  readonly isOnlyAllowed: boolean;
  readonly perSource: LimitsRecord;
}

const SOURCES_PER_BUCKET = 2;
/** `MAX_ACCESS_PREFIXES` of the program, for each family. */
const MAX_PREFIXES = 65_536;
const MAX_RATE = 100_000_000;
/** The program's clock may stand still for so long. */
const LEAST_BURST_SECONDS = 0.02;
const DEFAULT_BURST_SECONDS = 0.1;
const DEFAULT_BURST = 10;
const NS_PER_SECOND = 1e9;
const UNLIMITED: Limit = { interval: 0n, burst: 0n };
/** What the tables say where nothing is limited. */
export const NO_LIMITS: LimitsRecord = { packets: UNLIMITED, flows: UNLIMITED };

/** @throws ConfigError */
export function parseGuard(options: GuardOptions | undefined): ParsedGuard {
  if (options === undefined) return { isInspecting: false, isOpen: false, sourceBuckets: 1 };
  const { everyPacket = true, trackedSources = 65_536 } = options;
  if (!Number.isInteger(trackedSources) || trackedSources < 1_024 || trackedSources > 16_777_216) {
    throw wrong('guard.trackedSources', 'an integer from 1024 to 16777216', trackedSources);
  }
  return {
    isInspecting: everyPacket,
    isOpen: true,
    sourceBuckets: 2 ** Math.ceil(Math.log2(trackedSources / SOURCES_PER_BUCKET)),
  };
}

/** @throws ConfigError */
export function parseRules(rules: GuardRules): ParsedRules {
  const { deny = [], allow = [], others = 'allow', perSource = {} } = rules;
  const parse = (texts: readonly string[], name: string): IpPrefix[] =>
    texts.map((text, index) => parsePrefix(text, `${name}[${index}]`));
  const lists = { deny: parse(deny, 'deny'), allow: parse(allow, 'allow') };
  const all = [...lists.deny, ...lists.allow];
  for (const family of [4, 6] as const) {
    const count = all.filter(({ address }) => address.family === family).length;
    if (count > MAX_PREFIXES) {
      throw wrong('deny, allow', `at most ${MAX_PREFIXES} prefixes of IPv${family}`, count);
    }
  }
  const seen = new Set<string>();
  for (const { text } of all) {
    if (seen.has(text)) throw wrong('deny, allow', 'each prefix once', text);
    seen.add(text);
  }
  if (others !== 'allow' && others !== 'deny') throw wrong('others', '"allow" or "deny"', others);
  return {
    ...lists,
    isOnlyAllowed: others === 'deny',
    perSource: parseLimits(perSource, 'perSource'),
  };
}

/** @throws ConfigError */
export function parseLimits({ packets, newFlows }: Limits, path: string): LimitsRecord {
  return {
    packets: packets === undefined ? UNLIMITED : parseRate(packets, `${path}.packets`),
    flows: newFlows === undefined ? UNLIMITED : parseRate(newFlows, `${path}.newFlows`),
  };
}

/** As the time between two, and how far ahead of it a burst may be. */
function parseRate({ perSecond, burst }: Rate, path: string): Limit {
  if (!(Number.isFinite(perSecond) && perSecond >= 1 && perSecond <= MAX_RATE)) {
    throw wrong(`${path}.perSecond`, `a number from 1 to ${MAX_RATE}`, perSecond);
  }
  const least = Math.ceil(perSecond * LEAST_BURST_SECONDS);
  const usual = Math.max(DEFAULT_BURST, Math.ceil(perSecond * DEFAULT_BURST_SECONDS));
  const size = burst ?? usual;
  if (!(Number.isInteger(size) && size >= Math.max(1, least) && size <= MAX_RATE)) {
    throw wrong(`${path}.burst`, `an integer from ${Math.max(1, least)} to ${MAX_RATE}`, size);
  }
  const interval = BigInt(Math.round(NS_PER_SECOND / perSecond));
  return { interval, burst: interval * BigInt(size - 1) };
}
