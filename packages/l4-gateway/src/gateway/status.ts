/** What a gateway says about itself: plain data, fit for JSON once counts are texts or numbers. */
import type { PacketCounts, Traffic } from '../forwarder/statistics.ts';
import type { Vip } from '../forwarder/vip.ts';
import type { RealRole } from './reals-of.ts';

export interface RealStatus extends Traffic {
  readonly address: string;
  readonly role: RealRole;
  /** Share of new flows relative to the others. */
  readonly weight: number;
  /** State of the endpoint in its cluster, or `gone`. */
  readonly state: string;
  readonly reason: string;
  /** Until its flows are placed anew; undefined unless it has left its cluster. */
  readonly drainsForMs: number | undefined;
}

export interface VipStatus extends Traffic {
  /** `10.0.0.1:80/tcp` */
  readonly name: string;
  readonly vip: Vip;
  readonly cluster: string;
  /** Has it a real for new flows? */
  readonly ready: boolean;
  readonly reals: readonly RealStatus[];
}

export interface ClusterStatus {
  readonly name: string;
  readonly ready: boolean;
  /** Is health ignored, because too little of it is left? */
  readonly panic: boolean;
  readonly endpointCount: number;
  readonly healthyCount: number;
  readonly eligibleCount: number;
  readonly discovery: { readonly kind: string; readonly healthy: boolean };
}

export interface GatewayStatus {
  readonly name: string;
  readonly interfaces: readonly string[];
  readonly nextHop: string;
  readonly mtu: number;
  /** Did it take over flows from a predecessor? */
  readonly adopted: boolean;
  /** Has every VIP a real for new flows? Announce routes only then. */
  readonly ready: boolean;
  readonly uptimeMs: number;
  readonly tableBytes: number;
  readonly vips: readonly VipStatus[];
  readonly clusters: readonly ClusterStatus[];
  readonly packets: PacketCounts;
  /** Why the configuration that was offered last is not in force; undefined when it is. */
  readonly refusedConfig: string | undefined;
}

/** JSON with counts as numbers: what is lost above 2^53 is lost to most readers of JSON anyway. */
export function statusJson(status: unknown): string {
  return JSON.stringify(status, (_key, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  );
}
