import type { Endpoint } from '../../model/endpoint.ts';
import { createEndpointSet, type EndpointSet } from '../../model/endpoint-set.ts';
import type { GuardConfig } from './config.ts';

/** What becomes of an answer. */
export interface Verdict {
  /** The set to use: what the answer lists and, in order behind it, the endpoints that are held. */
  readonly set: EndpointSet;
  /** Endpoints that the answer no longer lists, kept for the time being. */
  readonly heldCount: number;
  /** All endpoints that the answer would have removed. */
  readonly missingCount: number;
  /** Has the guard begun to hold with this answer? */
  readonly tripped: boolean;
  /** When the next second look may confirm a removal; undefined while nothing is held. */
  readonly confirmAtMs: number | undefined;
}

/** Endpoints that were let go, to be counted against the share for a while. */
interface Departure {
  readonly atMs: number;
  readonly count: number;
}

/**
 * Does not believe at once that most of a cluster is gone.
 *
 * A registry that lost its data, filters by a token that has expired, or sits on the wrong side of a split gives an
 * answer that looks like any other. What it lists is taken at once, new endpoints included. What it no longer lists is
 * let go as long as no more than `maxRemovalPercent` of the set leave within `confirmAfterMs`. Beyond that, an endpoint
 * leaves only when a second look, `confirmAfterMs` after it was first missed, does not list it either, and no answer in
 * between did.
 *
 * | 10 in force, 50 %, 10 s                               | what happens                                      |
 * |-------------------------------------------------------|---------------------------------------------------|
 * | an answer lacks 5                                     | they leave                                        |
 * | an answer lacks 6                                     | all 6 are held, and asked for again after 10 s    |
 * | ... when they are still not listed                    | they leave                                        |
 * | ... when 2 of them are listed again                   | the other 4 leave                                 |
 * | an answer lacks 3, another one 3 more a second later  | 3 leave, 3 are held                               |
 *
 * Holding costs little: health checks and outlier detection find out which of the held endpoints are dead, while an
 * endpoint removed by mistake is lost capacity at the worst moment.
 */
export class MassRemovalGuard {
  readonly #config: GuardConfig;
  /** When an endpoint in force was first missed; gone from here as soon as it is listed again, or has left. */
  #missingSinceMs = new Map<string, number>();
  #departures: Departure[] = [];
  #holding = false;

  constructor(config: GuardConfig) {
    this.#config = config;
  }

  /**
   * @param inForce the set in use; undefined: none yet, and everything is believed
   * @param listed what the answer lists
   * @param nowMs clock time of the answer
   */
  judge(inForce: EndpointSet | undefined, listed: EndpointSet, nowMs: number): Verdict {
    const missing = inForce?.endpoints.filter(({ id }) => !listed.byId.has(id)) ?? [];
    this.#missingSinceMs = new Map(
      missing.map(({ id }) => [id, this.#missingSinceMs.get(id) ?? nowMs]),
    );
    const held = this.#heldOf(missing, inForce?.endpoints.length ?? 0, nowMs);
    const heldIds = new Set(held.map(({ id }) => id));
    for (const { id } of missing) if (!heldIds.has(id)) this.#missingSinceMs.delete(id);
    const tripped = held.length > 0 && !this.#holding;
    this.#holding = held.length > 0;
    return {
      set: held.length === 0 ? listed : createEndpointSet([...listed.endpoints, ...held]),
      heldCount: held.length,
      missingCount: missing.length,
      tripped,
      confirmAtMs: this.#confirmAtMs(),
    };
  }

  #heldOf(missing: readonly Endpoint[], size: number, nowMs: number): readonly Endpoint[] {
    const { maxRemovalPercent, confirmAfterMs } = this.#config;
    const unconfirmed = missing.filter(
      ({ id }) => nowMs - (this.#missingSinceMs.get(id) ?? nowMs) < confirmAfterMs,
    );
    this.#departures = this.#departures.filter(({ atMs }) => nowMs - atMs < confirmAfterMs);
    const departed = this.#departures.reduce((sum, { count }) => sum + count, 0);
    const allowed = ((size + departed) * maxRemovalPercent) / 100;
    if (departed + unconfirmed.length > allowed) return unconfirmed;
    if (unconfirmed.length > 0) this.#departures.push({ atMs: nowMs, count: unconfirmed.length });
    return [];
  }

  /** Called when only what is held is left in the map. */
  #confirmAtMs(): number | undefined {
    if (this.#missingSinceMs.size === 0) return undefined;
    let firstMs = Infinity;
    for (const sinceMs of this.#missingSinceMs.values()) firstMs = Math.min(firstMs, sinceMs);
    return firstMs + this.#config.confirmAfterMs;
  }
}
