/** How full the tables of a forwarder are. */

export interface Fill {
  readonly used: number;
  readonly size: number;
}

export interface ForwarderFill {
  readonly vips: Fill;
  /** Pairs of VIP and real. */
  readonly targets: Fill;
  /** Places of the flow caches of all CPUs, and the part of them in use: an estimate from a sample of buckets. */
  readonly flows: { readonly size: number; readonly usedRatio: number };
}

/** Of 256 buckets a quarter in use is told within 0.03, two times out of three. */
const SAMPLE = 256;

interface Buckets {
  readonly count: number;
  readonly ways: number;
  /** Places in use in a bucket. */
  readonly usedIn: (index: number) => number;
}

/** Part of a flow cache that is in use. Buckets are spread evenly: what is in them is placed by a hash. */
export function sampleFill({ count, ways, usedIn }: Buckets): number {
  const samples = Math.min(SAMPLE, count);
  let used = 0;
  for (let index = 0; index < samples; index += 1) {
    used += usedIn(Math.floor((index * count) / samples));
  }
  return used / (samples * ways);
}

/** Is a place of the flow cache in use? One that is not is all zeros. */
export function isInUse(flow: object): boolean {
  return Object.values(flow).some((part) => part !== 0 && part !== 0n && typeof part !== 'object');
}
