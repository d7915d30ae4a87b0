/** Consul counts its changes with unsigned 64-bit numbers and reads ours as such. */
const MAX_INDEX = 2n ** 64n - 1n;

/**
 * The index of an answer (`X-Consul-Index`), to wait from. Undefined when it cannot be used: missing, no number, 0,
 * which would mean "do not wait" and turn a watch into a hot loop, or beyond 64 bits, which Consul would refuse.
 */
export function parseIndex(header: string | string[] | undefined): bigint | undefined {
  if (typeof header !== 'string' || !/^\d{1,20}$/.test(header)) return undefined;
  const index = BigInt(header);
  return index > 0n && index <= MAX_INDEX ? index : undefined;
}
