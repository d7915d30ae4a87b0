import { isDeepStrictEqual } from 'node:util';
import type { ClusterSnapshot } from '@evenkeel/core';
import type { GatewayVip } from '../config/gateway-options.ts';
import type { Forwarder } from '../forwarder/forwarder.ts';
import type { Real, Vip } from '../forwarder/vip.ts';
import type { VipOptions } from '../forwarder/vip-options.ts';
import { type PlainReal, RealSet, type ServiceReal } from './real-set.ts';

export interface VipServiceOptions {
  readonly forwarder: Forwarder;
  readonly vip: GatewayVip;
  /** Reals that a predecessor had: they serve until the cluster has spoken. */
  readonly kept: readonly PlainReal[];
  /** What only this machine knows of a real; undefined: packets cannot be sent there. */
  readonly placeOf: (address: string, vip: GatewayVip) => RealPlace | undefined;
}

/** Where packets for a real are sent, and whether that is this machine. */
export type RealPlace = Pick<Real, 'nextHop' | 'local'>;

/** Who serves some of the clients of a VIP. */
export interface Behind {
  readonly cluster: string;
  /** Whose clients; undefined: all that no source route is for. */
  readonly sources?: readonly string[];
  readonly reals: readonly ServiceReal[];
}

/** What is to be heard of a cluster now; undefined for one that there is not. */
export type SnapshotOf = (cluster: string) => ClusterSnapshot | undefined;

/**
 * Keeps the reals of one VIP what its clusters publish. The forwarder is told only of what differs, and a VIP whose
 * cluster has nobody to offer drops new flows: sending them to a real that is known to be dead would be slower to fail.
 */
export class VipService {
  readonly key: Vip;
  readonly #options: VipServiceOptions;
  #vip: GatewayVip;
  #own: RealSet;
  /** Reals for clients from some networks, in the order of the routes. */
  #routes: readonly RealSet[];

  /** Adds the VIP to the forwarder. */
  constructor(options: VipServiceOptions) {
    const { forwarder, vip, kept } = options;
    this.#options = options;
    this.#vip = vip;
    this.key = { address: vip.address, port: vip.port, protocol: vip.protocol };
    const told = kept.flatMap((real) => this.#complete(real) ?? []);
    forwarder.addVip(this.key, told, optionsOf(vip));
    this.#own = new RealSet({ drainTimeoutMs: vip.drainTimeoutMs, told });
    this.#routes = routesOf(vip);
  }

  get vip(): GatewayVip {
    return this.#vip;
  }

  /** Has every cluster of it spoken, and does each have a real that takes new flows? */
  get isReady(): boolean {
    return [this.#own, ...this.#routes].every(({ isReady }) => isReady);
  }

  /** Will a cluster have more to say in a moment? */
  get isBehind(): boolean {
    return [this.#own, ...this.#routes].some(({ isBehind }) => isBehind);
  }

  get reals(): readonly ServiceReal[] {
    const all = [this.#own, ...this.#routes].flatMap(({ reals }) => reals);
    const byAddress = new Map(all.map((real) => [real.address, real]));
    return [...byAddress.values()];
  }

  /** The cluster of a source route, or the VIP's own, and its reals. */
  behind(route: number | undefined): Behind {
    if (route === undefined) return { cluster: this.#vip.cluster, reals: this.#own.reals };
    const { cluster = '', sources = [] } = this.#vip.sourceRoutes[route] ?? {};
    return { cluster, sources, reals: this.#routes[route]?.reals ?? [] };
  }

  /**
   * Other options for the same address, port and protocol; the reals stay until the clusters say otherwise.
   *
   * @throws ConfigError for options that the forwarder does not take; nothing has changed then
   */
  configure(vip: GatewayVip): void {
    const former = this.#vip;
    const { forwarder } = this.#options;
    if (!isDeepStrictEqual(optionsOf(vip), optionsOf(former))) {
      forwarder.configureVip(this.key, optionsOf(vip));
    }
    const { drainTimeoutMs } = vip;
    if (vip.cluster !== former.cluster || drainTimeoutMs !== former.drainTimeoutMs) {
      this.#own = new RealSet({ drainTimeoutMs, told: this.#own.told });
    }
    if (!isDeepStrictEqual(vip.sourceRoutes, former.sourceRoutes)) {
      this.#routes = routesOf(vip);
      if (vip.sourceRoutes.length === 0) forwarder.setSourceRoutes(this.key, []);
    }
    this.#vip = vip;
  }

  /** @returns whether the forwarder had to be told */
  update(snapshotOf: SnapshotOf, nowMs: number): boolean {
    const own = this.#updateOwn(snapshotOf, nowMs);
    return this.#updateRoutes(snapshotOf, nowMs) || own;
  }

  remove(): void {
    this.#options.forwarder.removeVip(this.key);
  }

  #updateOwn(snapshotOf: SnapshotOf, nowMs: number): boolean {
    const snapshot = snapshotOf(this.#vip.cluster);
    if (snapshot === undefined || !this.#own.hear(snapshot, nowMs)) return false;
    const wanted = this.#wantedOf(this.#own);
    if (isDeepStrictEqual(byAddress(wanted), byAddress(this.#own.told))) return false;
    this.#options.forwarder.updateReals(this.key, wanted);
    this.#own.note(wanted);
    return true;
  }

  /** Labels come from discovery, and one that is wrong must not keep the rest from being told. */
  #wantedOf(set: RealSet): Real[] {
    const seen = new Set<string>();
    return set
      .wanted((real) => this.#complete(real))
      .map((real) => {
        const { serverId, ...rest } = real;
        if (serverId === undefined || seen.has(serverId)) return rest;
        seen.add(serverId);
        return real;
      });
  }

  #complete({ address, weight, port, serverId, down = false }: PlainReal): Real | undefined {
    const place = this.#options.placeOf(address, this.#vip);
    if (place === undefined) return undefined;
    const { forward, quic } = this.#vip;
    const id = serverId?.toLowerCase() ?? '';
    const isId = id.length === 2 * (quic?.serverIdBytes ?? 0) && /^[\da-f]+$/u.test(id);
    return {
      ...{ address, weight, down, ...place },
      // With all ports the real has that of the packet.
      ...(forward === 'nat' && this.#vip.port !== 'any' && port !== undefined ? { port } : {}),
      ...(isId ? { serverId: id } : {}),
    };
  }

  /** All routes together, because the forwarder takes them as one. */
  #updateRoutes(snapshotOf: SnapshotOf, nowMs: number): boolean {
    const routes = this.#vip.sourceRoutes;
    if (routes.length === 0) return false;
    const heard = this.#routes.map((set, index) => {
      const snapshot = snapshotOf(routes[index]?.cluster ?? '');
      return snapshot !== undefined && set.hear(snapshot, nowMs);
    });
    // A route without reals would drop; its clients have those of the VIP until its cluster speaks.
    if (!heard.every(Boolean)) return false;
    const wanted = this.#routes.map((set) => this.#wantedOf(set));
    const isSame = wanted.every((reals, index) =>
      isDeepStrictEqual(byAddress(reals), byAddress(this.#routes[index]?.told ?? [])),
    );
    if (isSame) return false;
    this.#options.forwarder.setSourceRoutes(
      this.key,
      routes.map(({ sources }, index) => ({ sources, reals: wanted[index] ?? [] })),
    );
    this.#routes.forEach((set, index) => set.note(wanted[index] ?? []));
    return true;
  }
}

function routesOf({ sourceRoutes, drainTimeoutMs }: GatewayVip): RealSet[] {
  return sourceRoutes.map(() => new RealSet({ drainTimeoutMs, told: [] }));
}

/** What the forwarder itself is to do for a VIP. */
function optionsOf(vip: GatewayVip): VipOptions {
  const {
    forward,
    guePort,
    hash,
    fragments,
    options,
    echo,
    quic,
    deadReals,
    flowTimeouts,
    limits,
  } = vip;
  return {
    ...{ forward, guePort, hash, fragments, options, echo, deadReals, flowTimeouts, limits },
    ...(quic === undefined ? {} : { quic }),
  };
}

function byAddress(reals: readonly Real[]): ReadonlyMap<string, Real> {
  return new Map(reals.map((real) => [real.address, real]));
}
