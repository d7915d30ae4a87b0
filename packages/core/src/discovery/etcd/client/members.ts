import { createCluster } from '../../../cluster/create-cluster.ts';
import type { Cluster } from '../../../cluster/face.ts';
import { NO_SLOT } from '../../../model/pick-context.ts';
import type { EndpointInput } from '../../../model/endpoint.ts';
import { Outcome } from '../../../model/outcome.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import { discoveryError } from '../../discovery-error.ts';
import type { StreamingHttpPort } from '../../http/http-port.ts';
import type { HttpTarget } from '../../http/http-target.ts';
import type { EtcdMember } from './connection-config.ts';

/** Which member a call should go to. */
export interface Preference {
  /** This one, as long as it is healthy. */
  readonly stickTo?: number | undefined;
  /** Not these, if there are others. */
  readonly avoid?: readonly number[] | undefined;
}

/** A call in flight at a member. Ends once; later calls do nothing. */
export interface MemberCall {
  readonly slot: number;
  readonly http: StreamingHttpPort;
  finish(outcome: Outcome): void;
}

/**
 * The members of an etcd cluster, balanced by a cluster of our own: calls go where the fewest are under way (a watch is
 * one), and a member that fails twice in a row is left alone for five seconds, and longer each time. All of them may be
 * out; then all of them are tried.
 */
export class Members {
  readonly #cluster: Cluster;
  readonly #ports: ReadonlyMap<string, StreamingHttpPort>;

  constructor(
    members: readonly EtcdMember[],
    runtime: Runtime,
    connect: (target: HttpTarget) => StreamingHttpPort,
  ) {
    this.#ports = new Map(members.map(({ address, target }) => [address, connect(target)]));
    this.#cluster = createCluster(
      {
        name: 'etcd',
        discovery: members.map(endpointOf),
        policy: 'least-request',
        outlierDetection: {
          consecutive: { failures: 2, connectFailures: 1, localOriginFailures: 2 },
          successRate: false,
          baseEjectionMs: 5_000,
          maxEjectionMs: 60_000,
          maxEjectionPercent: 100,
        },
        panic: { thresholdPercent: 1 },
      },
      // Its turns are none of the user's cluster: what matters of them is told with the calls.
      { clock: runtime.clock, scheduler: runtime.scheduler, random: runtime.random },
    );
  }

  get size(): number {
    return this.#ports.size;
  }

  /** @throws EvenkeelError when there is nobody, which only happens once closed */
  begin({ stickTo, avoid = [] }: Preference = {}): MemberCall {
    const cluster = this.#cluster;
    const isFit = stickTo !== undefined && cluster.stateOf(stickTo) === 'healthy';
    let slot = isFit ? stickTo : cluster.pick({ exclude: avoid });
    if (slot === NO_SLOT) slot = cluster.pick();
    const endpoint = cluster.endpoint(slot);
    const http = endpoint && this.#ports.get(endpoint.id);
    if (http === undefined) throw discoveryError('closed');
    const startMs = cluster.nowMs();
    let isOver = false;
    cluster.start(slot, startMs);
    return {
      slot,
      http,
      finish: (outcome) => {
        if (isOver) return;
        isOver = true;
        const nowMs = cluster.nowMs();
        cluster.finish(slot, outcome, nowMs - startMs, nowMs);
      },
    };
  }

  async close(): Promise<void> {
    for (const http of this.#ports.values()) http.close();
    await this.#cluster.close();
  }
}

function endpointOf({ address, target }: EtcdMember): EndpointInput {
  return target.kind === 'unix'
    ? { id: address, unix: target.path }
    : { id: address, host: target.host, port: target.port };
}

/** How a call that failed speaks about the member. */
export function outcomeOfFailure(error: unknown): Outcome {
  const { code } = (error as { cause?: NodeJS.ErrnoException }).cause ?? {};
  const own = (error as NodeJS.ErrnoException).code;
  const isUnconnected = [code, own].some((word) => word !== undefined && UNCONNECTED.has(word));
  return isUnconnected ? Outcome.connectFailure : Outcome.reset;
}

const UNCONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
