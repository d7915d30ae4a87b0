/** XXH64 and MurmurHash2-64A with BigInt, as their definitions read: slow, and independent of the ones under test. */

const MASK = (1n << 64n) - 1n;
const multiply = (a: bigint, b: bigint): bigint => (a * b) & MASK;
const rotate = (value: bigint, bits: bigint): bigint =>
  ((value << bits) | (value >> (64n - bits))) & MASK;

const P1 = 11400714785074694791n;
const P2 = 14029467366897019727n;
const P3 = 1609587929392839161n;
const P4 = 9650029242287828579n;
const P5 = 2870177450012600261n;

function read(bytes: Uint8Array, at: number, count: number): bigint {
  let value = 0n;
  for (let index = count - 1; index >= 0; index--)
    value = (value << 8n) | BigInt(bytes[at + index]!);
  return value;
}

function xxRound(accumulator: bigint, lane: bigint): bigint {
  return multiply(rotate((accumulator + multiply(lane, P2)) & MASK, 31n), P1);
}

export function referenceXxHash64(bytes: Uint8Array, seed: bigint): bigint {
  let at = 0;
  let hash = (seed + P5) & MASK;
  if (bytes.length >= 32) {
    const lanes = [seed + P1 + P2, seed + P2, seed, seed - P1].map((lane) => lane & MASK);
    for (; at + 32 <= bytes.length; at += 32) {
      for (let lane = 0; lane < 4; lane++) {
        lanes[lane] = xxRound(lanes[lane]!, read(bytes, at + lane * 8, 8));
      }
    }
    const turns = [1n, 7n, 12n, 18n];
    hash = lanes.reduce((sum, lane, index) => (sum + rotate(lane, turns[index]!)) & MASK, 0n);
    for (const lane of lanes) hash = (multiply(hash ^ xxRound(0n, lane), P1) + P4) & MASK;
  }
  hash = (hash + BigInt(bytes.length)) & MASK;
  for (; at + 8 <= bytes.length; at += 8) {
    hash = (multiply(rotate(hash ^ xxRound(0n, read(bytes, at, 8)), 27n), P1) + P4) & MASK;
  }
  if (at + 4 <= bytes.length) {
    hash = (multiply(rotate(hash ^ multiply(read(bytes, at, 4), P1), 23n), P2) + P3) & MASK;
    at += 4;
  }
  for (; at < bytes.length; at++) {
    hash = multiply(rotate(hash ^ multiply(BigInt(bytes[at]!), P5), 11n), P1);
  }
  hash = multiply(hash ^ (hash >> 33n), P2);
  hash = multiply(hash ^ (hash >> 29n), P3);
  return hash ^ (hash >> 32n);
}

export function referenceMurmurHash2(bytes: Uint8Array, seed: bigint): bigint {
  const m = 0xc6a4a7935bd1e995n;
  const shiftXor = (value: bigint): bigint => value ^ (value >> 47n);
  let hash = seed ^ multiply(BigInt(bytes.length), m);
  let at = 0;
  for (; at + 8 <= bytes.length; at += 8) {
    const block = multiply(shiftXor(multiply(read(bytes, at, 8), m)), m);
    hash = multiply(hash ^ block, m);
  }
  const rest = bytes.length - at;
  if (rest > 0) hash = multiply(hash ^ read(bytes, at, rest), m);
  return shiftXor(multiply(shiftXor(hash), m));
}
