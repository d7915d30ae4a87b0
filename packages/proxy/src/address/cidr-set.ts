/**
 * Networks, each with a number, looked up by address: the longest prefix wins, as in routing. Nested prefixes are cut
 * into intervals that do not overlap, when the set is made:
 *
 * ```text
 *   10.0.0.0/8 → 1      |████████████████████████|           starts   10.0.0.0  10.1.0.0  10.2.0.0  11.0.0.0
 *   10.1.0.0/16 → 2          |▒▒▒▒|                  →        values       1         2         1         0
 * ```
 *
 * A look-up is a binary search: about 17 steps for 100,000 networks, without allocation.
 */
import { isIP } from 'node:net';
import { readAddress, type Width } from './ip-address.ts';

/** A network, and what it stands for. */
export interface CidrEntry {
  /** `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1`. Bits behind the prefix do not count. */
  readonly network: string;
  /** Above 0. */
  readonly value: number;
}

interface Interval {
  readonly start: bigint;
  readonly end: bigint;
  readonly value: number;
}

const scratch = new Uint32Array(4);

export class CidrSet {
  readonly #ipv4: Intervals;
  readonly #ipv6: Intervals;

  /** @param entries valid networks, see {@link isNetwork}; of two for the same network the last one counts */
  constructor(entries: readonly CidrEntry[]) {
    const parsed = entries.map(intervalOf);
    this.#ipv4 = new Intervals(
      1,
      parsed.filter(({ width }) => width === 1),
    );
    this.#ipv6 = new Intervals(
      4,
      parsed.filter(({ width }) => width === 4),
    );
  }

  /** @returns the number of the smallest network that the address is in; 0 for none, and for what is no address */
  lookup(address: string): number {
    const width = readAddress(address, scratch);
    if (width === 0) return 0;
    return (width === 1 ? this.#ipv4 : this.#ipv6).lookup(scratch);
  }

  has(address: string): boolean {
    return this.lookup(address) !== 0;
  }
}

/** Is this an address, or a network in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3)? */
export function isNetwork(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more !== undefined || address.includes('%')) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bitsOf(family));
}

/** One text for all ways to write the same network. */
export function networkKey(network: string): string {
  const { width, start, end } = intervalOf({ network, value: 1 });
  return `${width}:${start}-${end}`;
}

class Intervals {
  readonly #width: Width;
  /** `width` words each, ascending. */
  readonly #starts: Uint32Array;
  /** What holds from each start to the next. */
  readonly #values: Uint32Array;

  constructor(width: Width, intervals: readonly Interval[]) {
    const cuts = cut(intervals, (1n << BigInt(width * 32)) - 1n);
    this.#width = width;
    this.#values = Uint32Array.from(cuts, ({ value }) => value);
    this.#starts = new Uint32Array(cuts.length * width);
    for (const [at, { start }] of cuts.entries()) {
      for (let word = 0; word < width; word++) {
        this.#starts[at * width + word] = Number(
          (start >> BigInt((width - 1 - word) * 32)) & 0xffff_ffffn,
        );
      }
    }
  }

  lookup(address: Uint32Array): number {
    let low = 0;
    let high = this.#values.length;
    // The last start that is not behind the address is below `low`.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isBehind(middle, address)) high = middle;
      else low = middle + 1;
    }
    return low === 0 ? 0 : (this.#values[low - 1] as number);
  }

  #isBehind(at: number, address: Uint32Array): boolean {
    const width = this.#width;
    for (let word = 0; word < width; word++) {
      const start = this.#starts[at * width + word] as number;
      const wanted = address[word] as number;
      if (start !== wanted) return start > wanted;
    }
    return false;
  }
}

/** Nested intervals to a list of places where the value changes. */
function cut(
  intervals: readonly Interval[],
  last: bigint,
): { readonly start: bigint; readonly value: number }[] {
  // Those that begin together: the wider one first, so that the narrower one stands on top of it.
  const sorted = intervals.toSorted((a, b) => compare(a.start, b.start) || compare(b.end, a.end));
  const cuts: { start: bigint; value: number }[] = [];
  const open: Interval[] = [];
  const change = (start: bigint, value: number): void => {
    if (start > last) return;
    const before = cuts.at(-1);
    if (before?.start === start) before.value = value;
    else cuts.push({ start, value });
  };
  const closeBefore = (start: bigint | undefined): void => {
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      if (start !== undefined && top.end >= start) return;
      open.pop();
      change(top.end + 1n, open.at(-1)?.value ?? 0);
    }
  };
  for (const interval of sorted) {
    closeBefore(interval.start);
    change(interval.start, interval.value);
    open.push(interval);
  }
  closeBefore(undefined);
  return cuts;
}

function intervalOf({ network, value }: CidrEntry): Interval & { readonly width: Width } {
  const [address = '', bits] = network.split('/');
  const words = new Uint32Array(4);
  const width = readAddress(address, words);
  const all = width * 32;
  const isMapped = width === 1 && isIP(address) === 6;
  // Of a mapped network the first 96 bits are those that say so.
  const length = bits === undefined ? all : Math.max(0, Number(bits) - (isMapped ? 96 : 0));
  const number = words.subarray(0, width).reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
  const size = 1n << BigInt(all - length);
  const start = (number / size) * size;
  return { width, start, end: start + size - 1n, value };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function bitsOf(family: number): number {
  return family === 6 ? 128 : 32;
}
