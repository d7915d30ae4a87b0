/**
 * Apertures: the bounded part of a large cluster that one client uses, so that thousands of clients do not each hold
 * connections to thousands of endpoints and check all of them. Two ways to choose it:
 *
 * - `deterministic`: all clients know how many they are and divide the circle of endpoints among themselves, with
 *   fractions at the ends of their arcs. Every endpoint gets exactly the same load (Finagle, "deterministic aperture").
 * - `rendezvous`: every client takes the first of an order of its own. Nobody has to know anybody; loads are as uneven as
 *   chance has it, and a change of one endpoint changes at most one of a client's (gRFC A68, "random subsetting").
 *
 * Health plays no part: the choice must be the same while endpoints fail and recover, or connections would churn.
 */
import { apertureArc } from '../algorithm/aperture-arc.ts';
import { compareUint32 } from '../algorithm/uint64.ts';
import { XxHash64, xxhash64 } from '../algorithm/xxhash64.ts';
import { formatAddress } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { PeerPosition } from './peers.ts';

/** Fewest endpoints of an aperture, as in Finagle: fewer leave the policy no choice and failures no reserve. */
export const MIN_APERTURE = 12;

export type ApertureKind = 'deterministic' | 'rendezvous';

/** What decides which endpoints a client uses. */
export interface ApertureRule {
  /** Endpoints to use at least; all where there are no more. */
  readonly size: number;
  /** Place of this client among its peers. Undefined: not known, and the choice is by rendezvous. */
  readonly position: PeerPosition | undefined;
  /** What makes this client's order of endpoints its own, for rendezvous. */
  readonly seed: bigint;
}

/**
 * The part of each endpoint that this client uses, 0..1, in the order given. Endpoints must be interchangeable: those of
 * one priority level, zone and subset.
 */
export function apertureParts(endpoints: readonly Endpoint[], rule: ApertureRule): Float64Array {
  return rule.position === undefined
    ? rendezvousParts(endpoints, rule.size, rule.seed)
    : arcParts(endpoints, rule.size, rule.position);
}

/** The seed of a client that has a stable name. */
export function seedOf(name: string): bigint {
  return xxhash64(name);
}

function arcParts(
  endpoints: readonly Endpoint[],
  size: number,
  { index, count }: PeerPosition,
): Float64Array {
  // By hash and not by address: neighbours on the circle lose their clients together, so they should not be one rack.
  const circle = orderByHash(endpoints, 0n);
  const arc = apertureArc({
    peerIndex: index,
    peerCount: count,
    endpointCount: circle.length,
    aperture: size,
  });
  const parts = new Float64Array(endpoints.length);
  arc.endpoints.forEach((place, at) => {
    parts[circle[place] as number] = arc.weights[at] as number;
  });
  return parts;
}

function rendezvousParts(endpoints: readonly Endpoint[], size: number, seed: bigint): Float64Array {
  const parts = new Float64Array(endpoints.length);
  for (const index of orderByHash(endpoints, seed).slice(0, size)) parts[index] = 1;
  return parts;
}

/** Positions in ascending order of XXH64 of the address; of equal addresses the lower id first. */
function orderByHash(endpoints: readonly Endpoint[], seed: bigint): number[] {
  const hasher = new XxHash64(seed);
  const hi = new Int32Array(endpoints.length);
  const lo = new Int32Array(endpoints.length);
  endpoints.forEach(({ address }, index) => {
    hasher.hashString(formatAddress(address));
    hi[index] = hasher.hi;
    lo[index] = hasher.lo;
  });
  return endpoints
    .map((_, index) => index)
    .sort(
      (a, b) =>
        compareUint32(hi[a] as number, hi[b] as number) ||
        compareUint32(lo[a] as number, lo[b] as number) ||
        compareText(endpoints[a]?.id ?? '', endpoints[b]?.id ?? ''),
    );
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
