import { MAX_WEIGHT } from '../../model/endpoint.ts';

/** One SRV record of a priority, with the number of addresses its target has. */
export interface WeighedTarget {
  /** 0..65,535 */
  readonly weight: number;
  readonly addressCount: number;
}

/**
 * How much less a record of weight 0 gets than one of weight 1, where both kinds occur: RFC 2782 wants it to have "a
 * very small chance". 65,535 times this still is a weight.
 */
const ZERO_WEIGHT_DIVISOR = 15;

/**
 * Weights of the endpoints of each target, for the records of one priority.
 *
 * An SRV weight belongs to the target, whatever the number of its addresses: a dual-stack host must not get twice its
 * share. So the weight is divided among the addresses, and all weights are multiplied by what makes the divisions come out
 * even.
 *
 * | SRV weights        | addresses | endpoint weights | why                                     |
 * |--------------------|-----------|------------------|-----------------------------------------|
 * | 10, 30             | 1, 1      | 10, 30           | as they are                             |
 * | 10, 10             | 2, 1      | 10+10, 20        | doubled, so that 10 halves              |
 * | 0, 0               | 1, 1      | 1, 1             | all zero: RFC 2782 chooses evenly       |
 * | 0, 2               | 1, 1      | 1, 30            | zero is a fifteenth of weight 1         |
 */
export function endpointWeights(targets: readonly WeighedTarget[]): number[] {
  const hasPositive = targets.some(({ weight }) => weight > 0);
  const hasZero = targets.some(({ weight }) => weight === 0);
  const factor = hasPositive && hasZero ? ZERO_WEIGHT_DIVISOR : 1;
  const shares = targets.map(({ weight, addressCount }) => {
    return (weight === 0 ? 1 : weight * factor) / Math.max(1, addressCount);
  });
  const largest = shares.reduce((max, share) => Math.max(max, share), 0);
  const scale = Math.min(commonMultiple(targets), MAX_WEIGHT / largest);
  return shares.map((share) => Math.max(1, Math.round(share * scale)));
}

/** Least common multiple of the address counts, as far as it can matter within {@link MAX_WEIGHT}. */
function commonMultiple(targets: readonly WeighedTarget[]): number {
  let multiple = 1;
  for (const { addressCount } of targets) {
    if (addressCount > 0)
      multiple = (multiple / greatestDivisor(multiple, addressCount)) * addressCount;
    if (multiple > MAX_WEIGHT) return MAX_WEIGHT;
  }
  return multiple;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
