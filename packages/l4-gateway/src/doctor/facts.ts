/** What the doctor judges: plain data, gathered apart from the judgement. */
import type { FeatureReport } from '@evenkeel/bpf';
import type { GatewayConfig } from '../config/gateway-options.ts';
import type { InterfaceInfo } from '../system/interface.ts';
import type { VethPeer } from '../system/veth.ts';

export interface InterfaceFacts {
  readonly name: string;
  /** Undefined: there is none of this name. */
  readonly info: InterfaceInfo | undefined;
  /** Is a program attached? Undefined when it could not be found out. */
  readonly hasXdp: boolean | undefined;
  /** Is that one this gateway's, pinned or of a process that runs? */
  readonly isOurs: boolean;
  /** Of a virtual cable; undefined for others, and when the other end was not found. */
  readonly peer: VethPeer | undefined;
  readonly router: string | undefined;
  /** Ethernet address of the router; undefined while the kernel does not know it. */
  readonly routerMac: string | undefined;
}

export interface Facts {
  readonly config: GatewayConfig;
  readonly features: FeatureReport;
  readonly interfaces: readonly InterfaceFacts[];
  /** All addresses of this machine, and the interfaces that have them. */
  readonly localAddresses: ReadonlyMap<string, string>;
  /** `net.ipv4.ip_forward`. */
  readonly isForwarding: boolean;
  /** Who has the pins of this name; undefined: nobody. */
  readonly owner: { readonly pid: number; readonly alive: boolean } | undefined;
  /** What health checks and discovery found; undefined when they were not asked. */
  readonly clusters: readonly ClusterFacts[] | undefined;
}

export interface ClusterFacts {
  readonly name: string;
  readonly ready: boolean;
  readonly hasChecks: boolean;
  readonly reals: readonly {
    readonly address: string;
    readonly state: string;
    readonly reason: string;
  }[];
}
