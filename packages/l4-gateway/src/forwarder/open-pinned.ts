/** Which maps of the program hold state that a successor takes over; the others are made anew from its configuration. */
import { type MapSpec, type Pinnable, possibleCpus } from '@evenkeel/bpf';
import { forwarder as forwarderSpec, type ForwarderSpec } from './generated/forwarder.ts';
import type { ParsedOptions } from './options.ts';
import { pinFolder, PinnedState, layoutOf } from './pinned-state.ts';

type StateKey = keyof ForwarderSpec['maps'] &
  ('targets' | 'flows' | 'targetTraffic' | 'counters');

/** Records of reals, flows, and what was counted. */
const STATE: readonly StateKey[] = ['targets', 'flows', 'targetTraffic', 'counters'];

/** @throws ConfigError for a bad name, BpfError when another process has it */
export function openPinned(pins: { readonly name: string }, options: ParsedOptions): PinnedState {
  const flows = options.bucketsPerCpu * possibleCpus();
  const sizes: Readonly<Record<string, number>> = { flows };
  return new PinnedState({
    folder: pinFolder(pins.name),
    layout: layoutOf(forwarderSpec, [flows]),
    maps: STATE.map((key) => {
      const spec: MapSpec = forwarderSpec.maps[key] as MapSpec;
      return { key, spec: { ...spec, maxEntries: sizes[key] ?? spec.maxEntries } };
    }),
  });
}

/** The same maps of a loaded object, to pin. */
export function pinnedMaps(
  maps: Readonly<Record<StateKey, Pinnable>>,
): Readonly<Record<string, Pinnable>> {
  return Object.fromEntries(STATE.map((key) => [key, maps[key]]));
}
