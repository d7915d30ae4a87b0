import type { Flow } from '../forwarder/vip.ts';
import type { ServiceReal } from './real-set.ts';
import type { Behind } from './vip-service.ts';

/** Which real a new flow would get, and why. */
export interface FlowExplanation {
  readonly flow: Flow;
  /** Name of the VIP that takes it; undefined: the packet is left to the host. */
  readonly vip: string | undefined;
  readonly cluster: string | undefined;
  readonly real: string | undefined;
  /** In a sentence. */
  readonly reason: string;
  /** All reals of the VIP, with their part of new flows, 0..1. */
  readonly reals: readonly (ServiceReal & { readonly shareRatio: number })[];
}

/** What tables and clusters say about a flow. */
export interface FlowFindings extends Partial<Behind> {
  readonly vip: string;
  readonly real: string | undefined;
}

/** @param findings undefined: no VIP takes it */
export function explainFlow(flow: Flow, findings: FlowFindings | undefined): FlowExplanation {
  const { vip, cluster, real, reals: all = [] } = findings ?? {};
  const sum = all.reduce((total, { weight }) => total + weight, 0);
  const reals = all.map((one) => ({
    ...one,
    shareRatio: sum === 0 ? 0 : one.weight / sum,
  }));
  return { flow, vip, cluster, real, reals, reason: reasonOf(flow, findings) };
}

function reasonOf(flow: Flow, findings: FlowFindings | undefined): string {
  if (findings === undefined) return 'no VIP has this address, port and protocol: the host gets it';
  const { cluster, real, sources, reals = [] } = findings;
  if (real === undefined) {
    return `cluster ${cluster ?? ''} has no real for new flows: the packet is dropped and counted as no real`;
  }
  const active = reals.filter(({ role }) => role === 'active');
  const others = reals.length - active.length;
  const rest = others === 0 ? '' : `; ${others} more get no new flows`;
  const route =
    sources === undefined ? '' : `the source route of ${sources.join(', ')} takes it, and `;
  return `${route}the hash of ${flow.source}:${flow.sourcePort} and the VIP falls on its place in the Maglev table of ${active.length} reals${rest}. A flow that the gateway remembers may be elsewhere`;
}
