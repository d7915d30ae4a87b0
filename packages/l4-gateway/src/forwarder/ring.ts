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
  const table = new MaglevTable({
    keys: active.map((member) => member.address),
    weights: active.map((member) => member.weight),
    size: RING_SIZE,
  });
  const numbers = Uint16Array.from(active, (member) => member.number);
  return Uint16Array.from(table.entries, (index) => numbers[index] as number);
}

export function equalRings(a: Uint16Array, b: Uint16Array): boolean {
  return a.every((number, place) => number === b[place]);
}
