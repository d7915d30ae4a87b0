/** Interleaved rounds: every contender once per round, in an order that rotates. */

export interface Contender<Name extends string = string> {
  readonly name: Name;
  /** One measurement; what it means (ns, requests/s) is up to the suite, but alike for all. */
  readonly measure: () => number | Promise<number>;
}

export interface RoundOptions {
  /** Rounds that count. Default 7: enough for a median that one bad round cannot move. */
  readonly rounds?: number;
  /** Rounds before, whose samples are thrown away: compilation, connections, caches. Default 1. */
  readonly warmupRounds?: number;
}

/**
 * Measures all contenders and returns each one's samples in the order of the rounds.
 *
 * The first place of a round is the worst (cold caches, a collector with the last one's garbage),
 * so the order rotates by one each round.
 */
export async function measureRounds<Name extends string>(
  contenders: readonly Contender<Name>[],
  options: RoundOptions = {},
): Promise<Record<Name, number[]>> {
  const { rounds = 7, warmupRounds = 1 } = options;
  const samples = Object.fromEntries(
    contenders.map(({ name }): [Name, number[]] => [name, []]),
  ) as Record<Name, number[]>;
  for (let round = -warmupRounds; round < rounds; round += 1) {
    for (const { name, measure } of rotate(contenders, round + warmupRounds)) {
      const sample = await measure();
      if (round >= 0) samples[name].push(sample);
    }
  }
  return samples;
}

function rotate<T>(items: readonly T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
