import type { AntagonistOptions, Scenario, ServerSelector } from '../scenario/scenario.ts';
import { Server } from './server.ts';
import { Purpose, streamOf } from './stream.ts';

/** The servers of a run, and which antagonist runs beside which. */
export interface Fleet {
  readonly servers: readonly Server[];
  /** By server. */
  readonly antagonists: readonly (AntagonistOptions | undefined)[];
  /** All zones, in the order of the servers; none for servers without one. */
  readonly zones: readonly string[];
  /** Requests per second that the servers can do, all faults aside. */
  readonly capacityPerSecond: number;
}

/** Sets up the servers of a scenario. The seed decides who has an antagonist. */
export function createFleet(scenario: Scenario, seed: number): Fleet {
  const servers = serversOf(scenario);
  const antagonists = drawAntagonists(scenario, servers.length, seed);
  const workPerMs = servers.reduce((sum, server, index) => {
    return sum + server.speed * server.cores * (1 - meanTaken(antagonists[index]));
  }, 0);
  return {
    servers,
    antagonists,
    zones: [...new Set(servers.map(({ zone }) => zone).filter((zone) => zone !== ''))],
    capacityPerSecond: (workPerMs / scenario.work.meanMs) * 1_000,
  };
}

/** The servers that a fault strikes. */
export function selectServers(
  { zone, group, count, percent }: ServerSelector,
  servers: readonly Server[],
): readonly Server[] {
  const matching = servers.filter(
    (server) =>
      (zone === undefined || server.zone === zone) &&
      (group === undefined || server.group === group),
  );
  if (percent !== undefined)
    return matching.slice(0, Math.round((matching.length * percent) / 100));
  return matching.slice(0, count);
}

function serversOf(scenario: Scenario): Server[] {
  const servers: Server[] = [];
  scenario.servers.forEach(({ count, zone, ...traits }, group) => {
    const zones = typeof zone === 'string' ? [zone] : zone;
    for (let member = 0; member < count; member++) {
      const index = servers.length;
      servers.push(
        new Server({
          ...traits,
          index,
          group,
          zone: zones[member % zones.length] ?? '',
          id: `10.0.${index >> 8}.${index & 255}:80`,
        }),
      );
    }
  });
  return servers;
}

function drawAntagonists(
  { antagonists }: Scenario,
  count: number,
  seed: number,
): (AntagonistOptions | undefined)[] {
  const order = streamOf(seed, Purpose.layout).shuffled(Array.from({ length: count }, (_, i) => i));
  const result = new Array<AntagonistOptions | undefined>(count).fill(undefined);
  let next = 0;
  for (const antagonist of antagonists) {
    const end = Math.min(count, next + Math.round((count * antagonist.serverPercent) / 100));
    for (; next < end; next++) result[order[next] as number] = antagonist;
  }
  return result;
}

/** Mean share of the cores that an antagonist takes. */
function meanTaken(antagonist: AntagonistOptions | undefined): number {
  if (antagonist === undefined) return 0;
  const { takesRatio, onMs, offMs } = antagonist;
  return (takesRatio * onMs) / (onMs + offMs);
}
