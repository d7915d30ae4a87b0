/** The program and its maps, made anew or taken over from a predecessor. */
import { randomBytes } from 'node:crypto';
import { type LoadedObject, loadObject, type Pinnable, possibleCpus } from '@evenkeel/bpf';
import { forwarder as forwarderSpec, type ForwarderSpec } from './generated/forwarder.ts';
import { adoptNext, pinNext } from './next-slot.ts';
import type { ParsedOptions } from './options.ts';
import type { PinnedState } from './pinned-state.ts';
import { SPARE_SLOTS } from './ring-store.ts';

export type Loaded = LoadedObject<
  ForwarderSpec['maps'],
  ForwarderSpec['programs'],
  ForwarderSpec['globals']
>;

/** With the slot of the program behind it, which a predecessor may have left. */
export function loadWithNext(parsed: ParsedOptions, pinned: PinnedState | undefined): Loaded {
  const { next } = parsed;
  const slot = next && adoptNext(next);
  try {
    const object = load(parsed, { ...pinned?.adopted?.maps, ...(slot && { next: slot }) }, pinned);
    try {
      if (next !== undefined && slot === undefined) pinNext(object.maps.next, next);
    } catch (error) {
      object.close();
      throw error;
    }
    return object;
  } finally {
    slot?.close();
  }
}

function load(
  parsed: ParsedOptions,
  maps: Readonly<Record<string, Pinnable>>,
  pinned: PinnedState | undefined,
): Loaded {
  return loadObject(forwarderSpec, {
    ...(Object.keys(maps).length === 0 ? {} : { maps }),
    constants: {
      flowKeys: pinned?.adopted?.flowKeys ?? randomKeys(40),
      ringSeed: parsed.ringSeed,
      buckets: parsed.bucketsPerCpu,
      maxPacket: parsed.mtu,
      outerSource4: parsed.outerSource4,
      outerSource6: parsed.outerSource6,
      repliesPerSecond: parsed.repliesPerSecond,
      ...parsed.nat.constants,
      inspectAll: Number(parsed.guard.isInspecting),
      sourceBuckets: parsed.guard.sourceBuckets,
    },
    maxEntries: {
      flows: parsed.bucketsPerCpu * possibleCpus(),
      rings: parsed.maxRings + SPARE_SLOTS,
      ...parsed.nat.entries,
      guardedSources: parsed.guard.isOpen ? parsed.guard.sourceBuckets * possibleCpus() : 1,
    },
  });
}

/** Random for each forwarder: nobody can aim flows at one bucket of its cache. */
function randomKeys(count: number): bigint[] {
  const bytes = randomBytes(8 * count);
  return Array.from({ length: count }, (_, index) => bytes.readBigUInt64LE(8 * index));
}
