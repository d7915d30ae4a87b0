/**
 * Puts the steps together: from members and their health to groups of members with their shares of the requests.
 *
 * ```text
 * members ──► priority levels ──► healthy ──► zones ──► group, share of requests
 *              loads, panic  └──► degraded ──────────► group, share of requests
 * ```
 *
 * Groups without a share are made as well: a request whose preferred ones have all failed it goes on there.
 */
import type { Endpoint } from '../model/endpoint.ts';
import { HealthFlag, isEligible } from '../model/health-state.ts';
import { type Locality, UNKNOWN_LOCALITY } from '../model/locality.ts';
import { isPresumedHealthy } from './panic.ts';
import { type LevelHealth, type LevelLoad, priorityLoads } from './priority.ts';
import { localityShares } from './locality-weighted.ts';
import type { LocalityWeight } from './config.ts';
import { type PeerZones, zoneRouting } from './zone-aware.ts';
import { zoneOf } from './zone.ts';

/** A member that would take traffic if it were healthy. */
export interface Candidate {
  readonly slot: number;
  readonly endpoint: Endpoint;
  /** Bits of `HealthFlag`. */
  readonly flags: number;
  /** How much of it this client uses; above 0. */
  readonly reach: number;
}

/** How levels are divided between zones. At most one of `zoneAware` and `localityWeights`. */
export interface PlanRule {
  readonly overprovisioningFactor: number;
  readonly panicThresholdPercent: number;
  readonly ownZone: string;
  readonly zoneAware?: { readonly minEndpoints: number } | undefined;
  readonly localityWeights?: readonly LocalityWeight[] | undefined;
  /** For zone-aware routing; undefined: not known. */
  readonly peers?: PeerZones | undefined;
}

/** Who of a level a group consists of. */
export type GroupKind = 'healthy' | 'degraded' | 'panic';

/** Members that are chosen from as one. */
export interface GroupPlan<Member extends Candidate = Candidate> {
  /** Stable while the group is the same one, whatever its members and its share: `priority 0 eu/a`. */
  readonly name: string;
  readonly priority: number;
  /** Undefined: all zones. */
  readonly zone: string | undefined;
  readonly kind: GroupKind;
  /** Part of the requests, 0..1. */
  readonly shareRatio: number;
  /** In the order given. */
  readonly members: readonly Member[];
}

/** One priority level as it is now. */
export interface LevelPlan extends LevelHealth, LevelLoad {
  readonly priority: number;
  /** Why the level is divided between zones as it is, or not; undefined when nothing asks for it. */
  readonly zones: string | undefined;
}

export interface Plan<Member extends Candidate = Candidate> {
  /** The preferred ones first. Their shares add up to 1, unless there is nobody to pick. */
  readonly groups: readonly GroupPlan<Member>[];
  /** Ascending. */
  readonly levels: readonly LevelPlan[];
}

/** @param candidates by ascending slot */
export function planGroups<Member extends Candidate>(
  candidates: readonly Member[],
  rule: PlanRule,
): Plan<Member> {
  const levels = levelsOf(candidates);
  if (levels.length === 0) return { groups: [], levels: [] };
  const loads = priorityLoads(
    levels.map(({ health }) => health),
    rule,
  );
  const groups: GroupPlan<Member>[] = [];
  const plans = levels.map((level, index): LevelPlan => {
    const load = loads[index] as LevelLoad;
    const divided = divide(level, load, { rule, preferred: index === 0 });
    groups.push(...divided.groups.filter(({ members }) => members.length > 0));
    return {
      priority: level.priority,
      ...level.health,
      ...load,
      zones: divided.reason,
    };
  });
  return { groups, levels: plans };
}

interface Level<Member> {
  readonly priority: number;
  readonly members: readonly Member[];
  readonly health: LevelHealth;
}

function levelsOf<Member extends Candidate>(candidates: readonly Member[]): Level<Member>[] {
  const first = candidates[0];
  if (first === undefined) return [];
  const { priority } = first.endpoint;
  // Nearly always there is one, and then the list serves as it is.
  if (candidates.every(({ endpoint }) => endpoint.priority === priority))
    return [{ priority, members: candidates, health: healthOf(candidates) }];
  const byPriority = groupBy(candidates, ({ endpoint }) => endpoint.priority);
  return [...byPriority]
    .map(([own, members]) => ({ priority: own, members, health: healthOf(members) }))
    .sort((a, b) => a.priority - b.priority);
}

function healthOf(members: readonly Candidate[]): LevelHealth {
  let healthyCount = 0;
  let eligibleCount = 0;
  let presumedHealthyCount = 0;
  for (const { flags } of members) {
    if (flags === 0) healthyCount++;
    if (isEligible(flags)) eligibleCount++;
    if (isPresumedHealthy(flags)) presumedHealthyCount++;
  }
  return {
    healthyCount,
    degradedCount: eligibleCount - healthyCount,
    presumedHealthyCount,
    candidateCount: members.length,
  };
}

interface DivideRule {
  readonly rule: PlanRule;
  /** Is it the first level? Zone-aware routing is for that one only. */
  readonly preferred: boolean;
}

interface Divided<Member extends Candidate> {
  readonly groups: readonly GroupPlan<Member>[];
  readonly reason: string | undefined;
}

function divide<Member extends Candidate>(
  { priority, members, health }: Level<Member>,
  { healthyPercent, degradedPercent, panic }: LevelLoad,
  { rule, preferred }: DivideRule,
): Divided<Member> {
  const name = `priority ${priority}`;
  if (panic) {
    const shareRatio = (healthyPercent + degradedPercent) / 100;
    const group: GroupPlan<Member> = {
      name,
      priority,
      zone: undefined,
      kind: 'panic',
      shareRatio,
      members: withoutOpenCircuits(members),
    };
    return { groups: [group], reason: rulesZones(rule) ? 'panic: zones play no part' : undefined };
  }
  const healthy =
    health.healthyCount === members.length ? members : members.filter(({ flags }) => flags === 0);
  const zones = zonesOf(members, { rule, preferred });
  const groups = zones.parts.map(({ zone, share }): GroupPlan<Member> => ({
    name: zone === undefined ? name : `${name} ${zone === '' ? '/' : zone}`,
    priority,
    zone,
    kind: 'healthy',
    shareRatio: (share * healthyPercent) / 100,
    members:
      zone === undefined ? healthy : healthy.filter((member) => zoneOfMember(member) === zone),
  }));
  const degraded: GroupPlan<Member> = {
    name: `${name} degraded`,
    priority,
    zone: undefined,
    kind: 'degraded',
    shareRatio: degradedPercent / 100,
    members:
      health.degradedCount === 0
        ? []
        : members.filter(({ flags }) => flags !== 0 && isEligible(flags)),
  };
  return { groups: [...groups, degraded], reason: zones.reason };
}

/** Panic ignores what others think of an endpoint. An open circuit is no opinion: it refuses whoever comes. */
function withoutOpenCircuits<Member extends Candidate>(
  members: readonly Member[],
): readonly Member[] {
  const isOpen = ({ flags }: Member): boolean => (flags & HealthFlag.circuitOpen) !== 0;
  return members.some(isOpen) ? members.filter((member) => !isOpen(member)) : members;
}

interface ZoneParts {
  readonly parts: readonly { readonly zone: string | undefined; readonly share: number }[];
  readonly reason: string | undefined;
}

const UNDIVIDED: ZoneParts['parts'] = [{ zone: undefined, share: 1 }];

/** The zones of a level that is not in panic, the own one first, each with its part of the healthy load. */
function zonesOf(members: readonly Candidate[], { rule, preferred }: DivideRule): ZoneParts {
  const { localityWeights, zoneAware, peers, ownZone, panicThresholdPercent } = rule;
  if (localityWeights === undefined && (zoneAware === undefined || !preferred))
    return { parts: UNDIVIDED, reason: undefined };
  const zones = zonesWithHealth(members, ownZone);
  if (localityWeights !== undefined) {
    const weighted = zones.map((zone) => ({
      ...zone,
      weight: weightOf(zone.locality, localityWeights),
    }));
    const shares = localityShares(weighted, rule.overprovisioningFactor);
    return {
      parts: weighted.map(({ zone }, index) => ({ zone, share: shares[index] as number })),
      reason: 'by the weights of the zones',
    };
  }
  const { minEndpoints = 0 } = zoneAware ?? {};
  const routing = zoneRouting(zones, peers, { ownZone, minEndpoints, panicThresholdPercent });
  if (routing.mode === 'off')
    return { parts: UNDIVIDED, reason: `zones play no part: ${routing.reason}` };
  const { shares, mode, reason } = routing;
  return {
    parts: zones.map(({ zone }, index) => ({ zone, share: shares[index] as number })),
    reason: `${mode === 'local' ? 'all stay in the zone' : 'a part leaves the zone'}: ${reason}`,
  };
}

interface ZoneHealth extends LevelHealth {
  readonly zone: string;
  readonly locality: Locality;
  readonly healthyWeight: number;
}

function zonesWithHealth(members: readonly Candidate[], ownZone: string): ZoneHealth[] {
  return [...groupBy(members, zoneOfMember)]
    .map(([zone, own]) => ({
      zone,
      locality: own[0]?.endpoint.locality ?? UNKNOWN_LOCALITY,
      ...healthOf(own),
      healthyWeight: own.reduce(
        (sum, { flags, endpoint, reach }) => sum + (flags === 0 ? endpoint.weight * reach : 0),
        0,
      ),
    }))
    .sort(
      (a, b) =>
        Number(b.zone === ownZone) - Number(a.zone === ownZone) || (a.zone < b.zone ? -1 : 1),
    );
}

function zoneOfMember({ endpoint }: Candidate): string {
  return zoneOf(endpoint.locality);
}

/** The weight of the first entry that matches; 0 when none does. */
function weightOf({ region, zone }: Locality, weights: readonly LocalityWeight[]): number {
  const match = weights.find(
    (entry) => (entry.region ?? region) === region && (entry.zone ?? zone) === zone,
  );
  return match?.weight ?? 0;
}

function rulesZones({ zoneAware, localityWeights }: PlanRule): boolean {
  return zoneAware !== undefined || localityWeights !== undefined;
}

function groupBy<Key, Item>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
