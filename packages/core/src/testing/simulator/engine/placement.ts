import type { ClusterOptions } from '../../../config/cluster-config.ts';
import type { TopologyOptions } from '../../../topology/config.ts';

type Options = Omit<ClusterOptions, 'name' | 'discovery'>;

/** Where a client stands among all. */
export interface Place {
  readonly client: number;
  readonly clientCount: number;
  /** '': nowhere. */
  readonly zone: string;
  /** All zones, to which clients are dealt out in turn. */
  readonly zones: readonly string[];
}

/** Tells topology what it needs to know of the clients, where the options ask for topology and do not say it. */
export function placed(options: Options, place: Place): Options {
  const { topology } = options;
  if (topology === undefined) return options;
  const { client, clientCount, zone, zones } = place;
  const own: { -readonly [Key in keyof TopologyOptions]: TopologyOptions[Key] } = { ...topology };
  if (zone !== '') own.locality ??= { zone };
  if (own.zoneAware !== undefined && own.peers === undefined) {
    const counts = zones.map((name, index) => ({ zone: name, count: dealt(index, place) }));
    own.peers = { counts };
  }
  const { aperture } = own;
  if (aperture !== undefined && aperture.kind !== 'rendezvous' && aperture.index === undefined)
    own.aperture = { ...aperture, index: client, count: clientCount };
  return { ...options, topology: own };
}

/** Clients in the zone with this number. */
function dealt(index: number, { clientCount, zones }: Place): number {
  return Math.floor((clientCount - index - 1) / zones.length) + 1;
}
