import { Outcome } from '../../../model/outcome.ts';
import type { DeployFault, Fault, LastingFaultKind } from '../scenario/scenario.ts';
import { selectServers } from './fleet.ts';
import type { Server } from './server.ts';

/** What faults need of the simulation. */
export interface FaultHost {
  readonly servers: readonly Server[];
  /** End of the run: what comes later need not be planned. */
  readonly endMs: number;
  at(timeMs: number, task: () => void): void;
  nowMs(): number;
  /** The state of a server changed. */
  onServerChange(server: Server): void;
  /** A server's process ended: its requests break off. */
  onServerDeath(server: Server): void;
  /** A server enters discovery or leaves it. */
  setListed(server: Server, listed: boolean): void;
}

/** Plans all faults of a scenario. */
export function planFaults(faults: readonly Fault[], host: FaultHost): void {
  const conditions = host.servers.map((server) => new ServerCondition(server, host));
  for (const fault of faults) {
    const servers = selectServers(fault.servers, host.servers);
    if (fault.kind === 'deploy') {
      planDeploy(fault, servers, { host, conditions });
    } else {
      for (const { index } of servers)
        planLasting(fault, conditions[index] as ServerCondition, host);
    }
  }
}

/** Faults of one server at this moment. Several add up. */
class ServerCondition {
  readonly #server: Server;
  readonly #host: FaultHost;
  readonly #active = new Set<LastingFaultKind>();

  constructor(server: Server, host: FaultHost) {
    this.#server = server;
    this.#host = host;
  }

  set(fault: LastingFaultKind, on: boolean): void {
    if (on) this.#active.add(fault);
    else this.#active.delete(fault);
    const server = this.#server;
    let slowness = 1;
    let frozen = false;
    let refusing = false;
    let passRatio = 1;
    server.failFastMs = Number.NaN;
    server.degraded = false;
    for (const active of this.#active) {
      switch (active.kind) {
        case 'slow':
          slowness *= active.factor;
          break;
        case 'black-hole':
          frozen = true;
          break;
        case 'refuse':
          refusing = true;
          break;
        case 'errors':
          passRatio *= 1 - active.ratio;
          server.errorOutcome = Outcome[active.outcome];
          break;
        case 'fail-fast':
          server.failFastMs = active.afterMs;
          server.errorOutcome = Outcome[active.outcome];
          break;
        case 'degrade':
          server.degraded = true;
      }
    }
    server.errorRatio = 1 - passRatio;
    const dies = refusing && !server.refusing;
    server.refusing = refusing;
    server.hamper(slowness, frozen, this.#host.nowMs());
    if (dies) this.#host.onServerDeath(server);
    this.#host.onServerChange(server);
  }
}

function planLasting(fault: LastingFaultKind, condition: ServerCondition, host: FaultHost): void {
  const untilMs = Math.min(fault.untilMs ?? Number.POSITIVE_INFINITY, host.endMs);
  const { flap } = fault;
  const periodMs = flap === undefined ? Number.POSITIVE_INFINITY : flap.onMs + flap.offMs;
  for (let onMs = fault.fromMs; onMs < untilMs; onMs += periodMs) {
    const offMs = Math.min(untilMs, onMs + (flap?.onMs ?? Number.POSITIVE_INFINITY));
    host.at(onMs, () => condition.set(fault, true));
    if (offMs < host.endMs) host.at(offMs, () => condition.set(fault, false));
  }
}

interface DeployPlan {
  readonly host: FaultHost;
  readonly conditions: readonly ServerCondition[];
}

function planDeploy(
  { fromMs, batch, everyMs, drainMs, downMs, coldMs, coldFactor }: DeployFault,
  servers: readonly Server[],
  { host, conditions }: DeployPlan,
): void {
  servers.forEach((server, order) => {
    const leavesMs = fromMs + Math.floor(order / batch) * everyMs;
    const condition = conditions[server.index] as ServerCondition;
    const gone: LastingFaultKind = { kind: 'refuse', servers: {}, fromMs: leavesMs + drainMs };
    host.at(leavesMs, () => host.setListed(server, false));
    host.at(gone.fromMs, () => condition.set(gone, true));
    const backMs = gone.fromMs + downMs;
    const cold: LastingFaultKind = {
      kind: 'slow',
      servers: {},
      fromMs: backMs,
      factor: coldFactor,
    };
    host.at(backMs, () => {
      condition.set(gone, false);
      if (coldMs > 0) condition.set(cold, true);
      host.setListed(server, true);
    });
    if (coldMs > 0) host.at(backMs + coldMs, () => condition.set(cold, false));
  });
}
