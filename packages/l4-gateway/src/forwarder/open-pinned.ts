/** Which maps of the program hold state that a successor takes over; the others are made anew from its configuration. */
import { type MapSpec, type Pinnable, possibleCpus } from '@evenkeel/bpf';
import { forwarder as forwarderSpec } from './generated/forwarder.ts';
import type { ParsedOptions } from './options.ts';
import { pinFolder, PinnedState, layoutOf } from './pinned-state.ts';

/** Records of reals, flows, connections of NAT, and what was counted. */
const STATE = [
  'targets',
  'flows',
  'targetTraffic',
  'counters',
  'natConnections',
  'natFlows4',
  'natFlows6',
] as const;

type StateKey = (typeof STATE)[number];

/** @throws ConfigError for a bad name, BpfError when another process has it */
export function openPinned(pins: { readonly name: string }, options: ParsedOptions): PinnedState {
  const { nat, bucketsPerCpu } = options;
  const sizes: Readonly<Record<string, number>> = {
    ...nat.entries,
    flows: bucketsPerCpu * possibleCpus(),
  };
  return new PinnedState({
    folder: pinFolder(pins.name),
    // A slot of NAT stands for an address and a port: with others it would be somebody else's.
    layout: layoutOf(forwarderSpec, [sizes, nat.constants]),
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
