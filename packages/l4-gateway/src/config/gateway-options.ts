/** What the configuration of a gateway says, in the words of code; files say `drainTimeout: 5m` for a duration. */
import type { ClusterOptions } from '@evenkeel/core';
import type { XdpMode } from '@evenkeel/bpf';
import type { GuardOptions, GuardRules } from '../forwarder/guard-options.ts';
import type { NatTimeouts } from '../forwarder/nat-options.ts';
import type { NextOptions } from '../forwarder/next-slot.ts';
import type { Vip } from '../forwarder/vip.ts';
import type { FlowTimeouts, VipOptions } from '../forwarder/vip-options.ts';

/** A virtual address and the cluster behind it; defaults filled in. */
export interface GatewayVip extends Vip, Required<Omit<VipOptions, 'quic' | 'flowTimeouts'>> {
  /** Name of the cluster whose endpoints are the reals; the port of their addresses is for health checks, and
   * with `nat` where they listen. */
  readonly cluster: string;
  readonly quic: VipOptions['quic'];
  readonly flowTimeouts: FlowTimeouts;
  /** How long flows of a real that left the cluster may go on there. 0..24 h, default 300,000. */
  readonly drainTimeoutMs: number;
  /** Other clusters for clients from some networks. */
  readonly sourceRoutes: readonly {
    readonly sources: readonly string[];
    readonly cluster: string;
  }[];
}

/** What `forward: nat` takes. */
export interface NatConfig {
  readonly addresses: readonly string[];
  readonly ports: { readonly first: number; readonly last: number };
  readonly timeouts: Required<NatTimeouts>;
}

/** Options of a cluster behind a gateway: those of any cluster that mean something without requests. */
export type GatewayClusterOptions = Omit<
  ClusterOptions,
  'name' | 'policy' | 'outlierDetection' | 'admission' | 'drain'
>;

export interface AdminOptions {
  /** Address and port of the HTTP server for status and metrics. */
  readonly listen: string;
  /** What a request has to bring as `authorization: Bearer ...`. */
  readonly token?: string | undefined;
}

/** A checked configuration, defaults filled in. */
export interface GatewayConfig {
  /** Names the pins, so that several gateways may be on one machine. */
  readonly name: string;
  readonly interfaces: readonly string[];
  readonly mode: XdpMode;
  /** Ethernet address, or `auto`: that of the default route's router. */
  readonly nextHop: string;
  readonly mtu: number | 'auto';
  readonly flowsPerCpu: number;
  readonly ringSeed: number;
  readonly outerSource: { readonly ipv4?: string | undefined; readonly ipv6?: string | undefined };
  readonly repliesPerSecond: number;
  readonly nat: NatConfig | undefined;
  /** Room for access lists and limits; undefined: there are none. */
  readonly guard: Required<GuardOptions> | undefined;
  /** What the guard lets in; changes take effect at once. */
  readonly guardRules: GuardRules;
  /** Where another XDP program follows this one; undefined: nowhere. */
  readonly next: NextOptions | undefined;
  /** What a stop does: the program goes, or it goes on forwarding what the tables say until somebody takes over. */
  readonly onStop: 'detach' | 'keep';
  readonly admin: AdminOptions | undefined;
  readonly vips: readonly GatewayVip[];
  /** By name. */
  readonly clusters: ReadonlyMap<string, ClusterOptions>;
}
