import type { Endpoint } from '../model/endpoint.ts';
import type { Members } from '../model/members.ts';

/**
 * Members as hash policies see them: each under a key of its own, in ascending order of the keys. The order makes
 * everything built from them independent of the order in which endpoints arrived. Parallel arrays, never written to.
 */
export interface KeyedMembers {
  readonly count: number;
  /** Distinct and not empty. */
  readonly keys: readonly string[];
  /** Above 0. */
  readonly weights: Float64Array;
  readonly slots: Int32Array;
  readonly endpoints: readonly Endpoint[];
}

/** The key that an endpoint asks for. */
export type KeyOf = (endpoint: Endpoint) => string;

const hashKeyOf: KeyOf = (endpoint) => endpoint.hashKey;

/**
 * Gives every member its key and sorts.
 *
 * Two members with one key would share one place, so only one gets it: of those that ask for it, the one with the
 * lowest id. The others, and members with an empty key, go by their id. (By id and not by slot: slots depend on who
 * joined first, and then two clients with the same endpoints would disagree.)
 *
 * ```text
 * id a, key x     ->  x
 * id b, key x     ->  b
 * id c, key ''    ->  c
 * id d, key b     ->  b is d's own wish and stays with d; b above then goes by 'b#1'
 * ```
 */
export function keyedMembersOf(members: Members, keyOf: KeyOf = hashKeyOf): KeyedMembers {
  const { endpoints } = members;
  const keys = distinctKeys(endpoints, keyOf);
  const order = Array.from(keys.keys()).sort((a, b) =>
    (keys[a] as string) < (keys[b] as string) ? -1 : 1,
  );
  const weights = new Float64Array(order.length);
  const slots = new Int32Array(order.length);
  // Loops: `from` with a function is ten times slower, and this runs over every member at every change.
  for (let place = 0; place < order.length; place++) {
    weights[place] = members.weights[order[place] as number] as number;
    slots[place] = members.slots[order[place] as number] as number;
  }
  return {
    count: order.length,
    keys: order.map((index) => keys[index] as string),
    weights,
    slots,
    endpoints: order.map((index) => endpoints[index] as Endpoint),
  };
}

/** Do two sets spread keys alike: same keys, same weights? Slots may differ. */
export function spreadAlike(a: KeyedMembers, b: KeyedMembers): boolean {
  if (a.count !== b.count) return false;
  for (let index = 0; index < a.count; index++) {
    if (a.keys[index] !== b.keys[index] || a.weights[index] !== b.weights[index]) return false;
  }
  return true;
}

function distinctKeys(endpoints: readonly Endpoint[], keyOf: KeyOf): readonly string[] {
  const keys = endpoints.map(keyOf);
  const owners = new Map<string, number>();
  const homeless: number[] = [];
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    const owner = owners.get(key);
    if (key !== '' && owner === undefined) {
      owners.set(key, index);
    } else if (owner !== undefined && idOf(endpoints, index) < idOf(endpoints, owner)) {
      owners.set(key, index);
      homeless.push(owner);
    } else {
      homeless.push(index);
    }
  }
  if (homeless.length === 0) return keys;
  homeless.sort((a, b) => (idOf(endpoints, a) < idOf(endpoints, b) ? -1 : 1));
  for (const index of homeless) {
    const key = freeKey(idOf(endpoints, index), owners);
    owners.set(key, index);
    keys[index] = key;
  }
  return keys;
}

/** The id, or the id with the first number that makes it nobody's key. */
function freeKey(id: string, owners: ReadonlyMap<string, number>): string {
  let key = id;
  for (let suffix = 1; owners.has(key); suffix++) key = `${id}#${suffix}`;
  return key;
}

function idOf(endpoints: readonly Endpoint[], index: number): string {
  return (endpoints[index] as Endpoint).id;
}
