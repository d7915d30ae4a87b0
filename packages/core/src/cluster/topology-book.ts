import { toBigInt } from '../algorithm/uint64.ts';
import { configError } from '../error/config-error.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { seedOf } from '../topology/aperture.ts';
import type { SplitConfig, TopologyConfig } from '../topology/config.ts';
import { type PeerPosition, Peers } from '../topology/peers.ts';
import type { PlanRule } from '../topology/plan.ts';
import { reachFactors } from '../topology/reach.ts';
import { zoneOf } from '../topology/zone.ts';
import type { Member } from './member.ts';
import { WarmUp } from './warm-up.ts';

export interface TopologyBookOptions {
  readonly config: TopologyConfig;
  readonly runtime: Runtime;
  readonly panicThresholdPercent: number;
  /** The peers have changed. */
  readonly onPeersChanged: () => void;
}

/** What a cluster knows of topology besides its members: its options, its peers, who warms up, who is in reach. */
export class TopologyBook {
  readonly config: TopologyConfig;
  /** Undefined: there is no slow start. */
  readonly warmUp: WarmUp | undefined;
  readonly #panicThresholdPercent: number;
  readonly #ownZone: string;
  readonly #peers: Peers | undefined;
  readonly #seed: bigint;
  #split: SplitConfig | undefined;

  constructor({ config, runtime, panicThresholdPercent, onPeersChanged }: TopologyBookOptions) {
    const { random, clock } = runtime;
    this.config = config;
    this.#panicThresholdPercent = panicThresholdPercent;
    this.#ownZone = zoneOf(config.locality);
    this.#split = config.split;
    this.#peers = config.peers && new Peers(config.peers, onPeersChanged);
    this.warmUp = config.slowStart && new WarmUp(config.slowStart, clock);
    const { aperture } = config;
    if (aperture === undefined) this.#seed = 0n;
    else if (aperture.seed !== undefined) this.#seed = seedOf(aperture.seed);
    else this.#seed = toBigInt({ hi: random.nextInt32(), lo: random.nextInt32() });
  }

  /** How requests that name no subset are divided; undefined: not at all. */
  get split(): SplitConfig | undefined {
    return this.#split;
  }

  /** How groups are made now. */
  planRule(): PlanRule {
    const { overprovisioningFactor, zoneAware, localityWeights } = this.config;
    return {
      overprovisioningFactor,
      panicThresholdPercent: this.#panicThresholdPercent,
      ownZone: this.#ownZone,
      zoneAware,
      localityWeights,
      peers: zoneAware && this.#peers?.zones(),
    };
  }

  /**
   * Works out who is in reach.
   *
   * @param members all that discovery lists
   * @returns those that were in reach before and are no longer
   */
  updateReach(members: readonly Member[]): readonly Member[] {
    const { aperture } = this.config;
    if (aperture === undefined) return [];
    // Without weight they take no part anywhere, and would leave holes in the arcs of others.
    const counted = members.filter(({ endpoint }) => endpoint.weight > 0);
    const factors = reachFactors(
      counted.map(({ endpoint }) => endpoint),
      {
        size: aperture.size,
        position: this.#position(),
        seed: this.#seed,
        byZone: this.config.zoneAware !== undefined || this.config.localityWeights !== undefined,
        labels: this.#labels(),
      },
    );
    const before = new Set(members.filter(({ reach }) => reach > 0));
    for (const member of members) member.reach = 0;
    counted.forEach((member, index) => (member.reach = factors[index] as number));
    return [...before].filter(({ reach }) => reach === 0);
  }

  /** What the weight of a member is multiplied by; 0: out of reach. */
  factorOf(member: Member): number {
    return member.reach * (this.warmUp?.factorOf(member) ?? 1);
  }

  /** Changes the weights of sides. @throws ConfigError for a name that is no side, or weights that make no split */
  setSplit(weights: Readonly<Record<string, number>>): void {
    const split = this.#split;
    if (split === undefined) throw configError('split', 'a cluster with topology.split', weights);
    const sides = { ...split.sides };
    for (const [name, weight] of Object.entries(weights)) {
      const side = Object.hasOwn(sides, name) ? sides[name] : undefined;
      if (side === undefined) {
        throw configError(`split.${name}`, `one of ${Object.keys(sides).join(', ')}`, name);
      }
      if (!(weight >= 0 && weight <= MAX_WEIGHT)) {
        throw configError(`split.${name}`, `a number from 0 to ${MAX_WEIGHT}`, weight);
      }
      sides[name] = { ...side, weight };
    }
    if (!Object.values(sides).some(({ weight }) => weight > 0)) {
      throw configError('split', 'a side with a weight above 0', weights);
    }
    this.#split = { ...split, sides };
  }

  /** Stops following the peers. Idempotent. */
  close(): void {
    this.#peers?.close();
  }

  #position(): PeerPosition | undefined {
    const { aperture, zoneAware } = this.config;
    if (aperture?.kind !== 'deterministic') return undefined;
    const { index, count } = aperture;
    return index !== undefined && count !== undefined
      ? { index, count }
      : this.#peers?.position(zoneAware && this.#ownZone);
  }

  /** Every label that takes part in the choice of a subset. */
  #labels(): readonly string[] {
    const { subsets, split } = this.config;
    const sides = Object.values(split?.sides ?? {});
    return [
      ...new Set([
        ...(subsets?.selectors ?? []).flatMap(({ keys }) => keys),
        ...Object.keys(subsets?.default ?? {}),
        ...sides.flatMap(({ subset }) => Object.keys(subset ?? {})),
      ]),
    ].sort();
  }
}

/** As in the schema of the option. */
const MAX_WEIGHT = 1_000_000;
