import { uniformBelow } from '../../../algorithm/random-source.ts';
import type { Members } from '../../../model/members.ts';
import { NO_SLOT, type PickContext } from '../../../model/pick-context.ts';
import { definePolicy, type Picker, type Policy } from '../../../policy/policy.ts';
import { XorShift128 } from '../../../runtime/random.ts';
import type { ClientEnvironment, ServerState } from '../engine/environment.ts';
import { Purpose, seedOf } from '../engine/stream.ts';

/**
 * Bounds to measure policies against. An oracle looks at the true state of all servers at the moment of the pick, which
 * no client can do: requests of all clients, those on the way included.
 *
 * - `jsq`, join the shortest queue: fewest requests in flight.
 * - `sed`, shortest expected delay: lowest (requests in flight + 1) / (speed of the cores * cores that antagonists leave
 *   at this moment). As good as it gets.
 *
 * Both believe what they see: they do not know failures, and run to a server that answers errors at once.
 */
export function createOracles(environment: ClientEnvironment): readonly Policy[] {
  return [
    oracle('jsq', environment, ({ outstandingCount }) => outstandingCount),
    oracle('sed', environment, ({ outstandingCount, presentSpeed, freeCores }) => {
      return (outstandingCount + 1) / (presentSpeed * freeCores);
    }),
  ];
}

function oracle(
  name: string,
  { client, world }: ClientEnvironment,
  loadOf: (server: ServerState) => number,
): Policy {
  const random = new XorShift128(seedOf(client, Purpose.oracle));
  return definePolicy({
    name,
    keyed: false,
    create: () => ({
      update: (members) => new OraclePicker({ members, world, loadOf, random }),
    }),
  });
}

interface OracleParts {
  readonly members: Members;
  readonly world: ClientEnvironment['world'];
  readonly loadOf: (server: ServerState) => number;
  readonly random: XorShift128;
}

/** The member with the lowest load; among several of them any. */
class OraclePicker implements Picker {
  readonly #slots: Int32Array;
  readonly #servers: readonly (ServerState | undefined)[];
  readonly #loadOf: (server: ServerState) => number;
  readonly #random: XorShift128;

  constructor({ members, world, loadOf, random }: OracleParts) {
    this.#slots = members.slots;
    this.#servers = members.endpoints.map(({ id }) => world.serverOf(id));
    this.#loadOf = loadOf;
    this.#random = random;
  }

  pick({ exclude }: PickContext): number {
    let best = NO_SLOT;
    let lowest = Number.POSITIVE_INFINITY;
    let ties = 0;
    for (let index = 0; index < this.#slots.length; index++) {
      const slot = this.#slots[index] as number;
      const server = this.#servers[index];
      if (server === undefined || exclude?.includes(slot) === true) continue;
      const load = this.#loadOf(server);
      if (load > lowest) continue;
      ties = load < lowest ? 1 : ties + 1;
      lowest = load;
      // The k-th of equals replaces the one held with probability 1/k, so that all are as likely.
      if (ties === 1 || uniformBelow(this.#random, ties) === 0) best = slot;
    }
    return best;
  }

  explain(): ReturnType<Picker['explain']> {
    return this.#servers.flatMap((server, index) =>
      server === undefined
        ? []
        : [
            {
              slot: this.#slots[index] as number,
              score: this.#loadOf(server),
              reason: `${server.outstandingCount} in flight over all clients`,
            },
          ],
    );
  }
}
