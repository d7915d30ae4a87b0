import { DEFAULT_MAGLEV_SIZE, MaglevTable } from '@evenkeel/core/algorithm';

/** `RING_SIZE` of the program. */
export const RING_SIZE: number = DEFAULT_MAGLEV_SIZE;

/** A real with its number in the program's table. */
export interface RingMember {
  readonly address: string;
  readonly weight: number;
  readonly number: number;
}

/**
 * The Maglev table of the reals that have a weight, as the program reads it: a number for each place, 0 for nobody.
 *
 * The table depends on addresses and weights alone, so all gateways agree; the numbers are each gateway's own.
 */
export function buildRing(members: readonly RingMember[]): Uint16Array {
  const active = members.filter((member) => member.weight > 0);
  if (active.length === 0) return new Uint16Array(RING_SIZE);
  const entries = entriesOf(active);
  const numbers = Uint16Array.from(active, (member) => member.number);
  const ring = new Uint16Array(RING_SIZE);
  for (let place = 0; place < RING_SIZE; place += 1) {
    ring[place] = numbers[entries[place] as number] as number;
  }
  return ring;
}

type Entries = MaglevTable['entries'];

/** Tables of the memberships that were built last: VIPs often share theirs, and to build one takes milliseconds. */
const recent = new Map<string, Entries>();
const MAX_RECENT = 8;

/** Which member each place belongs to, by its index. */
function entriesOf(active: readonly RingMember[]): Entries {
  const key = active.map(({ address, weight }) => `${address} ${weight}`).join();
  const known = recent.get(key);
  if (known !== undefined) return known;
  const { entries } = new MaglevTable({
    keys: active.map((member) => member.address),
    weights: active.map((member) => member.weight),
    size: RING_SIZE,
  });
  const [oldest] = recent.keys();
  if (recent.size >= MAX_RECENT && oldest !== undefined) recent.delete(oldest);
  recent.set(key, entries);
  return entries;
}

export function equalRings(a: Uint16Array, b: Uint16Array): boolean {
  return a.every((number, place) => number === b[place]);
}
