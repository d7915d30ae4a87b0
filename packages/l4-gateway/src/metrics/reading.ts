import type { ForwarderFill } from '../forwarder/fill.ts';
import type { Traffic } from '../forwarder/statistics.ts';
import type { GatewayStatus, RealStatus, VipStatus } from '../gateway/status.ts';

/** What the metrics are made of, read once for a scrape. */
export interface GatewayReading {
  readonly status: GatewayStatus;
  readonly cpus: readonly Traffic[];
  readonly fill: ForwarderFill;
  /** Reals with series of their own. */
  readonly labelled: readonly LabelledReal[];
  readonly unlabelledCount: number;
}

export interface LabelledReal {
  readonly vip: string;
  readonly real: RealStatus;
}

/** What the metrics ask of a gateway; `Gateway` is one. */
export interface MeteredGateway {
  status(): GatewayStatus;
  cpuTraffic(): readonly Traffic[];
  fill(): ForwarderFill;
}

/** The first reals in the order of the configuration have series of their own, so that the number of series is bounded. */
export function readGateway(gateway: MeteredGateway, maxReals: number): GatewayReading {
  const status = gateway.status();
  const all = status.vips.flatMap((vip) =>
    vip.reals.map((real): LabelledReal => ({ vip: vipLabel(vip), real })),
  );
  return {
    status,
    cpus: gateway.cpuTraffic(),
    fill: gateway.fill(),
    labelled: all.slice(0, maxReals),
    unlabelledCount: Math.max(0, all.length - maxReals),
  };
}

export function vipLabel({ name }: VipStatus): string {
  return name;
}
