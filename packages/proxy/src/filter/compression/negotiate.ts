/** Which coding a client gets (RFC 9110 section 12.5.3). */

export type Coding = 'gzip' | 'br' | 'zstd';

/**
 * @param accepted `accept-encoding`, or undefined
 * @param offered in the order of preference
 * @returns the coding with the highest weight, or undefined for none: also when the client prefers the plain body
 */
export function negotiate(
  accepted: string | undefined,
  offered: readonly Coding[],
): Coding | undefined {
  if (accepted === undefined) return undefined;
  const weights = weightsOf(accepted);
  const others = weights.get('*') ?? 0;
  let best: Coding | undefined = undefined;
  // Plain bodies are acceptable by default, but the last choice, unless they are named.
  let bestWeight = weights.get('identity') ?? 0;
  let isNamed = weights.has('identity');
  for (const coding of offered) {
    const weight =
      weights.get(coding) ?? (coding === 'gzip' ? weights.get('x-gzip') : undefined) ?? others;
    if (weight === 0) continue;
    if (weight > bestWeight || (best === undefined && isNamed && weight === bestWeight)) {
      best = coding;
      bestWeight = weight;
      isNamed = false;
    }
  }
  return best;
}

/** Longer lists are not from browsers. */
const MAX_CODINGS = 32;
const CODING = /^\s*([!#$%&'*+\-.^_`|~0-9a-z]+)\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/;

/** What is not well-formed is as if it were not there. */
function weightsOf(accepted: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const part of accepted.toLowerCase().split(',', MAX_CODINGS)) {
    const [, coding, weight] = CODING.exec(part) ?? [];
    if (coding !== undefined) weights.set(coding, weight === undefined ? 1 : Number(weight));
  }
  return weights;
}
