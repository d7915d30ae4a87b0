import type { Uint64 } from '../algorithm/uint64.ts';
import { XxHash64 } from '../algorithm/xxhash64.ts';
import type { PickContext } from '../model/pick-context.ts';
import type { Random } from '../runtime/random.ts';

/**
 * The 64-bit hash that decides a pick: XXH64 with seed 0 of the affinity key, as Envoy and gRPC hash requests, whatever
 * function places the endpoints. Without a key it is a random number, which sends the request to an endpoint in
 * proportion to what that owns (Envoy does the same).
 *
 * The result stays in `hi` and `lo` until the next pick, so that none allocates.
 */
export class PickHash implements Uint64 {
  hi = 0;
  lo = 0;
  readonly #hasher = new XxHash64();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Sets `hi` and `lo` for a pick. */
  take(context: PickContext): void {
    const { hashKey } = context;
    if (hashKey === undefined) {
      this.hi = this.#random.nextInt32();
      this.lo = this.#random.nextInt32();
    } else {
      this.takeKey(hashKey);
    }
  }

  /** Sets `hi` and `lo` for a key; draws nothing. */
  takeKey(hashKey: string): void {
    const hasher = this.#hasher;
    hasher.hashString(hashKey);
    this.hi = hasher.hi;
    this.lo = hasher.lo;
  }
}

/** A hash as its 16 hexadecimal digits. */
export function formatHash({ hi, lo }: Uint64): string {
  return `${hex(hi)}${hex(lo)}`;
}

function hex(half: number): string {
  return (half >>> 0).toString(16).padStart(8, '0');
}
