/** Publications of made-up members, without a cluster around them. */
import { hashKeySourceSchema } from '../../policy/hash-key.ts';
import { BUILT_IN_POLICIES } from '../../policy/built-in.ts';
import type { PolicyOptions } from '../../policy/policy.ts';
import { PolicyRegistry } from '../../policy/registry.ts';
import { LoadTable } from '../../model/load-table.ts';
import { createEndpoint, type EndpointFields } from '../../model/endpoint.ts';
import { decode } from '../../schema/decode.ts';
import { createManualRuntime, type ManualRuntime } from '../../testing/manual-runtime.ts';
import type { TopologyConfig, TopologyOptions } from '../../topology/config.ts';
import { topologySchema } from '../../topology/schema.ts';
import { Member } from '../member.ts';
import type { Publication } from '../publication.ts';
import { PublicationBuilder } from '../publication-builder.ts';
import { TopologyBook } from '../topology-book.ts';

export function topologyOf(options: TopologyOptions = {}): TopologyConfig {
  return decode(topologySchema(hashKeySourceSchema), options, 'topology');
}

/** The options of a cluster that names none. */
export const NO_TOPOLOGY: TopologyConfig = topologyOf();

/** A member as a test writes it: fields of the endpoint, and its health. */
export interface MemberInput extends EndpointFields {
  readonly flags?: number;
}

/** Members in slots 0, 1, 2 ... at 10.0.0.0:80, 10.0.0.1:80, 10.0.0.2:80 ... */
export function membersOf(...inputs: readonly MemberInput[]): Member[] {
  return inputs.map(({ flags = 0, ...fields }, slot) => {
    const address = `10.0.${slot >> 8}.${slot & 255}:80`;
    return new Member(slot, createEndpoint({ address, ...fields }), flags);
  });
}

/** The same input several times. */
export function times(count: number, input: MemberInput = {}): MemberInput[] {
  return Array.from({ length: count }, () => input);
}

export interface BuilderBench {
  readonly runtime: ManualRuntime;
  readonly topology: TopologyBook;
  readonly load: LoadTable;
  /** Builds the next publication; with an aperture, from members whose reach is worked out first. */
  build(members: readonly Member[]): Publication;
}

export interface BuilderBenchOptions {
  readonly policy?: PolicyOptions;
  readonly topology?: TopologyOptions;
  readonly panicThresholdPercent?: number;
  readonly seed?: number;
}

export function builderBench(options: BuilderBenchOptions = {}): BuilderBench {
  const { policy = 'random', panicThresholdPercent = 50, seed = 1 } = options;
  const runtime = createManualRuntime({ seed });
  const load = new LoadTable({ capacity: 4096 });
  const registry = new PolicyRegistry(BUILT_IN_POLICIES);
  const decoded = registry.decode(policy);
  const topology = new TopologyBook({
    config: topologyOf(options.topology),
    runtime,
    panicThresholdPercent,
    onPeersChanged: () => undefined,
  });
  const builder = new PublicationBuilder({
    balancer: registry.create(decoded, { load, random: runtime.random }),
    keyed: decoded.policy.keyed,
    random: runtime.random,
    topology,
  });
  return {
    runtime,
    topology,
    load,
    build: (members) => {
      topology.updateReach(members);
      return builder.build(members);
    },
  };
}
