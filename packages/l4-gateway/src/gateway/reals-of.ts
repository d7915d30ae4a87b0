/** From what a cluster publishes to the reals of a VIP. */
import { isIP } from 'node:net';
import type { ClusterSnapshot, EndpointSnapshot, GroupSnapshot } from '@evenkeel/core';

/**
 * What a real is to a VIP.
 *
 * - `active`: gets new flows by its weight
 * - `draining`: gets no new flows, and keeps those that the flow cache remembers
 * - `failed`: its checks fail; a VIP says what becomes of its flows
 * - `unusable`: an endpoint that packets cannot be sent to, as a host name or a socket
 */
export type RealRole = 'active' | 'draining' | 'failed' | 'unusable';

export interface RealState {
  readonly address: string;
  readonly role: RealRole;
  /** Share of new flows relative to the others; 0 unless active. */
  readonly weight: number;
  /** State of the endpoint, as the cluster has it. */
  readonly state: string;
  readonly reason: string;
  /** Port of the endpoint; undefined where it has none. */
  readonly port: number | undefined;
  /** Label `serverId` of the endpoint, for QUIC. */
  readonly serverId: string | undefined;
}

/** Largest weight that a real may have. */
const MAX_WEIGHT = 65_535;
/** What the largest share becomes where shares are no integers: steps of a hundredth of a percent. */
const SCALE = 10_000;

/**
 * The reals of a snapshot, by ascending address, so that all gateways that see the same cluster build the same ring.
 *
 * A group of endpoints gets its share of new flows (priorities, panic, zones), and divides it by weights and slow start.
 */
export function realsOf(snapshot: ClusterSnapshot): RealState[] {
  const weights = integerWeights(sharesOf(snapshot));
  const states = new Map<string, RealState>();
  for (const endpoint of snapshot.endpoints) {
    const state = stateOf(endpoint, weights.get(endpoint.slot) ?? 0);
    const other = states.get(state.address);
    states.set(state.address, other === undefined ? state : joined(other, state));
  }
  return [...states.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}

function stateOf(endpoint: EndpointSnapshot, weight: number): RealState {
  const { address } = endpoint.endpoint;
  const { state, reason } = endpoint;
  if (address.kind !== 'ip' || isIP(address.host) === 0) {
    const text = address.kind === 'unix' ? address.path : address.host;
    return {
      ...{ address: text, role: 'unusable', weight: 0, state },
      reason: 'a real needs an IP address: let discovery resolve names',
      ...{ port: undefined, serverId: undefined },
    };
  }
  const role = roleOf(endpoint, weight);
  const { serverId } = endpoint.endpoint.metadata;
  const { host, port } = address;
  return { address: host, port, role, weight, state, reason, serverId };
}

function roleOf({ state }: EndpointSnapshot, weight: number): RealRole {
  if (weight > 0) return 'active';
  switch (state) {
    case 'unhealthy':
    case 'ejected':
    case 'circuit-open':
      return 'failed';
    case 'healthy':
    case 'degraded':
    case 'unchecked':
    case 'draining':
    case 'disabled':
      return 'draining';
  }
}

const RANK: Readonly<Record<RealRole, number>> = { active: 3, draining: 2, failed: 1, unusable: 0 };

/** Two endpoints at one address, on different ports, are one real: the better state counts, weights add up. */
function joined(a: RealState, b: RealState): RealState {
  const better = RANK[a.role] >= RANK[b.role] ? a : b;
  return { ...better, weight: Math.min(MAX_WEIGHT, a.weight + b.weight) };
}

/** By slot: part of the new flows, 0..1 in sum. */
function sharesOf({ groups, endpoints }: ClusterSnapshot): ReadonlyMap<number, number> {
  const shares = new Map<number, number>();
  const only = groups.filter(({ unaskedShareRatio }) => unaskedShareRatio > 0);
  for (const group of only) {
    const members = endpoints.filter((endpoint) => isIn(endpoint, group));
    const sum = members.reduce((total, member) => total + effectiveWeight(member), 0);
    for (const member of members) {
      // Of a single group the weights serve as they are: integers then stay what somebody wrote.
      const part = only.length === 1 ? 1 : group.unaskedShareRatio / sum;
      const share = (shares.get(member.slot) ?? 0) + effectiveWeight(member) * part;
      shares.set(member.slot, share);
    }
  }
  return shares;
}

function effectiveWeight({ weight, weightFactor }: EndpointSnapshot): number {
  return weight * weightFactor;
}

/** Is an endpoint one of those that a group chooses from? */
function isIn({ endpoint, state, eligible }: EndpointSnapshot, group: GroupSnapshot): boolean {
  if (!eligible || endpoint.priority !== group.priority) return false;
  const { region, zone } = endpoint.locality;
  const own = region === '' && zone === '' ? '' : `${region}/${zone}`;
  if (group.zone !== undefined && own !== group.zone) return false;
  const labels = Object.entries(group.subset ?? {});
  if (!labels.every(([name, value]) => endpoint.metadata[name] === value)) return false;
  switch (group.kind) {
    case 'healthy':
      return state === 'healthy';
    case 'degraded':
      return state === 'degraded';
    case 'panic':
      return state !== 'draining' && state !== 'disabled' && state !== 'circuit-open';
  }
}

function integerWeights(shares: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
  const largest = Math.max(0, ...shares.values());
  const isUsable =
    largest <= MAX_WEIGHT && shares.values().every((share) => Number.isInteger(share));
  if (isUsable) return shares;
  const scaled = new Map<number, number>();
  for (const [slot, share] of shares) {
    if (share > 0) scaled.set(slot, Math.max(1, Math.round((share / largest) * SCALE)));
  }
  return scaled;
}
