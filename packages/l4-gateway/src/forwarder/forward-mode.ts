/** How packets get to a real, and what that takes. */
import { wrong } from './address.ts';
import { ForwardKind } from './generated/forwarder.ts';
import type { ParsedReal, ParsedVip } from './vip.ts';

/**
 * - `ipip`: IP in IP (RFC 2003, 2473, 4213). `gue`: in UDP, GUE's variant 1. `gre`: RFC 2784, without key. The real takes
 *   the outer header off and answers the client.
 * - `l2`: to the real's Ethernet address (`nextHop`), unchanged otherwise: gateway and real on one link. The real answers.
 * - `nat`: to the real's address from one of the gateway's (`nat` of the forwarder). The real answers the gateway and
 *   needs no set-up but a route.
 */
export type ForwardMode = 'ipip' | 'gue' | 'gre' | 'l2' | 'nat';

const KINDS: Readonly<Record<ForwardMode, number>> = {
  ipip: ForwardKind.FORWARD_IPIP,
  gue: ForwardKind.FORWARD_GUE,
  gre: ForwardKind.FORWARD_GRE,
  l2: ForwardKind.FORWARD_DIRECT,
  nat: ForwardKind.FORWARD_NAT,
};

/** Bytes between the two IP headers; undefined: there is no outer header. */
const BETWEEN: Readonly<Record<ForwardMode, number | undefined>> = {
  ipip: 0,
  gue: 8,
  gre: 4,
  l2: undefined,
  nat: undefined,
};
const OUTER_BYTES = { 4: 20, 6: 40 } as const;

/** UDP port that GUE goes to: what Katran has made the custom. */
export const DEFAULT_GUE_PORT = 6_080;

/** @throws ConfigError */
export function parseForwardMode(mode: string, path: string): ForwardMode {
  if (Object.hasOwn(KINDS, mode)) return mode as ForwardMode;
  throw wrong(path, `one of ${Object.keys(KINDS).join(', ')}`, mode);
}

/** `enum forward_kind` of the program. */
export function kindOf(mode: ForwardMode): number {
  return KINDS[mode];
}

/** What the outer header takes. */
export function overheadOf(mode: ForwardMode, family: 4 | 6): number {
  const between = BETWEEN[mode];
  return between === undefined ? 0 : OUTER_BYTES[family] + between;
}

export interface ForwardContext {
  readonly vip: ParsedVip;
  readonly mode: ForwardMode;
  /** Are fragments placed without ports? */
  readonly isThreeTuple: boolean;
  /** Families of the addresses that NAT may take. */
  readonly natFamilies: ReadonlySet<4 | 6>;
}

/** @throws ConfigError for reals that cannot be reached in this way */
export function assertForward(reals: Iterable<ParsedReal>, context: ForwardContext): void {
  const { vip, natFamilies } = context;
  for (const real of reals) {
    const mode = real.forward ?? context.mode;
    const path = `forward of ${real.address.text}`;
    if (real.port !== 0 && mode !== 'nat') {
      throw wrong(`port of ${real.address.text}`, 'none unless `forward` is "nat"', real.port);
    }
    if (mode !== 'nat') continue;
    const { family } = real.address;
    if (family !== vip.address.family) {
      throw wrong(path, `for "nat" a real of the VIP's family, IPv${vip.address.family}`, mode);
    }
    if (!natFamilies.has(family)) {
      throw wrong(path, `for "nat" an IPv${family} address in \`nat.addresses\``, mode);
    }
    if (context.isThreeTuple) throw wrong(path, 'for "nat" a VIP without `fragments`', mode);
  }
}
