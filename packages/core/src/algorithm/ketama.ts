import { checkInteger, checkNumber } from './check.ts';
import { Md5 } from './md5.ts';
import type { RingPoints } from './ring-points.ts';
import { placePoints } from './ring-revision.ts';

/** Points per server on average, 4 from each MD5 digest (libmemcached `MEMCACHED_POINTS_PER_SERVER_KETAMA`). */
const POINTS_PER_SERVER = 160;
const POINTS_PER_DIGEST = 4;
/** libmemcached leaves this port out of the names of points. */
const MEMCACHED_PORT = 11_211;

/** One memcached server. */
export interface KetamaServer {
  /** Host name or address as configured at the other clients: it is hashed as written. */
  readonly address: string;
  /** Default 11211. */
  readonly port?: number;
  /** Relative share, above 0. Default 1. */
  readonly weight?: number;
}

/**
 * The ring of libmemcached's weighted ketama (`MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED`), so that this client and others
 * agree on where a key lives. A circle of 2^32 positions; server s owns the four words of MD5(`address-k`), with the
 * port in front of the dash when it is not 11211, for k below its number of digests.
 *
 * Servers are indexes into the list. The order of the list does not matter for picks.
 */
export class Ketama {
  readonly #names: readonly string[];
  readonly #points: RingPoints;
  readonly #md5 = new Md5();

  /**
   * @param earlier a ring from which the points of servers are taken that do not change: same result, less time
   * @throws RangeError for a repeated server or numbers out of range
   */
  constructor(servers: readonly KetamaServer[], earlier?: Ketama) {
    const digests = countDigests(servers);
    const names = pointNames(servers);
    this.#names = names;
    this.#points = placePoints(
      {
        keys: names,
        counts: Uint32Array.from(digests, (count) => count * POINTS_PER_DIGEST),
        place: (server, { hi }, at) => {
          const count = digests[server] as number;
          for (let digest = 0, point = at; digest < count; digest++) {
            this.#md5.hashString(`${names[server] as string}-${digest}`);
            for (let word = 0; word < POINTS_PER_DIGEST; word++, point++) {
              hi[point] = this.#md5.digest[word] as number;
            }
          }
        },
      },
      earlier === undefined ? undefined : { keys: earlier.#names, points: earlier.#points },
    );
  }

  /** Points on the ring. */
  get size(): number {
    return this.#points.size;
  }

  /** Points of each server. 0 for a weight below 1/40 of the average: such a server gets no keys, as in libmemcached. */
  get counts(): Uint32Array {
    return this.#points.counts;
  }

  /** Share of all keys that each server owns, 0..1: the arcs in front of its points. Computed at each call. */
  shares(): Float64Array {
    return this.#points.shares();
  }

  /** Position of a key on the ring: the first little-endian word of its MD5, as a signed integer. */
  hashKey(key: string): number {
    this.#md5.hashString(key);
    return this.#md5.digest[0] as number;
  }

  /** The server for a position, or -1 on an empty ring. */
  lookup(position: number): number {
    const points = this.#points;
    return points.size === 0 ? -1 : points.ownerOf(points.find(position, 0));
  }

  /** Fills `out` with distinct servers in the order of the ring, the owner first. Returns how many there are. */
  preference(position: number, out: Int32Array | Uint32Array): number {
    return this.size === 0 ? 0 : this.#points.walk(this.#points.find(position, 0), out);
  }
}

/**
 * Digests per server: floor(share * 160 / 4 * servers), in the single-precision steps of libmemcached, without which
 * shares that are whole numbers on paper round down differently.
 */
function countDigests(servers: readonly KetamaServer[]): number[] {
  let total = 0;
  const weights = servers.map(({ weight = 1 }, index) => {
    total += checkNumber(`servers[${index}].weight`, weight, { above: 0 });
    return weight;
  });
  return weights.map((weight) => {
    const share = Math.fround(Math.fround(weight) / Math.fround(total));
    const perServer = Math.fround(Math.fround(share * POINTS_PER_SERVER) / POINTS_PER_DIGEST);
    return Math.floor(Math.fround(Math.fround(perServer * servers.length) + 1e-10));
  });
}

function pointNames(servers: readonly KetamaServer[]): string[] {
  const names = servers.map(({ address, port = MEMCACHED_PORT }, index) => {
    checkInteger(`servers[${index}].port`, port, { min: 0, max: 65_535 });
    if (typeof address !== 'string' || address === '') {
      throw new RangeError(
        `servers[${index}].address must be a non-empty string, got ${JSON.stringify(address)}`,
      );
    }
    return port === MEMCACHED_PORT ? address : `${address}:${port}`;
  });
  if (new Set(names).size < names.length) {
    const repeated = names.find((name, index) => names.indexOf(name) !== index);
    throw new RangeError(`servers must differ, got ${JSON.stringify(repeated)} twice`);
  }
  return names;
}
