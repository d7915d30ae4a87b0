/** What routes with features keep of one request. */
import type { Admission, HedgePolicy } from '@evenkeel/core/resilience';
import { Failover } from './failover.ts';
import type { EngineHost } from './host.ts';
import { type HedgePorts, Hedges } from './hedges.ts';
import type { RequestKind } from './request-kind.ts';
import type { RouteFeatures } from './route-features.ts';
import type { Target } from './route.ts';
import { Shadow } from './shadow.ts';

export class Extras {
  readonly failover: Failover | undefined;
  /** Of a request that is mirrored. */
  readonly shadow: Shadow | undefined;
  hedges: Hedges | undefined = undefined;
  readonly #host: EngineHost;
  readonly #policy: HedgePolicy | undefined;

  // oxlint-disable-next-line max-params -- the request, and what its route says
  constructor(host: EngineHost, kind: RequestKind, target: Target, features: RouteFeatures) {
    const { mirror, failover, hedge } = features;
    const { isHead, isUpgrade } = kind;
    this.#host = host;
    this.failover = failover.length === 0 ? undefined : new Failover(target, failover);
    this.shadow = mirror === undefined || isUpgrade ? undefined : Shadow.of(host, mirror, isHead);
    this.#policy = kind.isRepeatable ? hedge : undefined;
  }

  /** The first try on a cluster has begun, with the whole request. */
  hedge(
    ports: Omit<HedgePorts, 'host' | 'policy'>,
    admission: Admission | undefined,
    nowMs: number,
  ): void {
    if (this.#policy === undefined) return;
    this.hedges?.close();
    this.hedges = new Hedges(
      { ...ports, host: this.#host, policy: this.#policy },
      admission,
      nowMs,
    );
  }

  /** The request is over. What was mirrored goes its own way. */
  close(): void {
    this.hedges?.close();
  }
}
