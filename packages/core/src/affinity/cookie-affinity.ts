import type { Cluster } from '../cluster/face.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { ANY, NO_SLOT, type PickContext } from '../model/pick-context.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { decode } from '../schema/decode.ts';
import { AffinityTokens } from './affinity-token.ts';
import {
  type CookieAffinityConfig,
  type CookieAffinityOptions,
  cookieAffinitySchema,
} from './config.ts';
import { EndpointIndex } from './endpoint-index.ts';
import { keepsPreference, pickWithAffinity } from './pick-with-affinity.ts';
import { cookieValues } from './request-parts.ts';
import { cookieAttributes } from './set-cookie.ts';

/** Keeps a client with its endpoint by a signed cookie that names it. */
export interface CookieAffinity {
  /** What the request's Cookie header says. Never throws, whatever is in it. */
  read(cookieHeader: string | undefined): AffinityVisit;
  /**
   * The visit's endpoint if it may be used (see `pickWithAffinity`), else what the policy picks. As `cluster.pick`: start
   * and finish the slot. For a retry call it again with the failed slot in `context.exclude`.
   *
   * @returns a slot, or `NO_SLOT`; `cluster.pickFailure()` then says why
   */
  pick(visit: AffinityVisit, context?: PickContext): number;
  /**
   * The Set-Cookie header for the answer, or undefined when the client has the right cookie already. A new one is
   * due when the endpoint is another one, when half of the time is over, and when an old secret had signed.
   *
   * @param slot the slot that answered
   */
  setCookie(visit: AffinityVisit, slot: number): string | undefined;
  /** A Set-Cookie header that names an endpoint. */
  issue(endpoint: Endpoint): string;
  /** What {@link read} and {@link pick} would do with a request, uncounted. */
  explain(cookieHeader: string | undefined, context?: PickContext): AffinityExplanation;
  stats(): CookieAffinityStats;
  /** Stops following the cluster. Idempotent. */
  close(): void;
}

/**
 * - `absent`: no such cookie.
 * - `invalid`: not signed by any of our secrets for this cluster and cookie.
 * - `expired`: signed, but its time is over.
 * - `gone`: valid, but its endpoint is no longer a member.
 * - `valid`: its endpoint is known; whether it may be used now is decided by `pick`.
 */
export type AffinityVisitStatus = 'absent' | 'invalid' | 'expired' | 'gone' | 'valid';

/** What a client brought. */
export interface AffinityVisit {
  readonly status: AffinityVisitStatus;
  /** The endpoint named by a valid cookie, else `NO_SLOT`. */
  readonly slot: number;
  /** Is a new cookie due although the endpoint stays? */
  readonly renew: boolean;
}

export interface AffinityExplanation {
  readonly status: AffinityVisitStatus;
  /** Where the client stays; undefined: where the policy sends it. */
  readonly endpoint: Endpoint | undefined;
  /** In a few words. */
  readonly reason: string;
}

/** Counted since creation. */
export interface CookieAffinityStats {
  /** Visits by status. */
  readonly visits: Readonly<Record<AffinityVisitStatus, number>>;
  /** Picks that stayed with the endpoint of the cookie. */
  readonly keptCount: number;
  /** Picks that left it, because it could not be used or had failed the request. */
  readonly movedCount: number;
}

/** A client may send several cookies of our name, old ones under other paths; hashing more than this is not worth it. */
const MAX_CANDIDATES = 4;

const WHY_MOVED: Readonly<Record<Exclude<AffinityVisitStatus, 'valid'>, string>> = {
  absent: 'there is no cookie',
  invalid: 'the cookie is not signed by us for this cluster',
  expired: 'the time of the cookie is over',
  gone: 'the endpoint of the cookie is no longer a member',
};

const ABSENT: AffinityVisit = Object.freeze({ status: 'absent', slot: NO_SLOT, renew: false });
const INVALID: AffinityVisit = Object.freeze({ status: 'invalid', slot: NO_SLOT, renew: false });
const EXPIRED: AffinityVisit = Object.freeze({ status: 'expired', slot: NO_SLOT, renew: false });
const GONE: AffinityVisit = Object.freeze({ status: 'gone', slot: NO_SLOT, renew: false });

/**
 * Sticky sessions without a table: the cookie itself says which endpoint, in a form that tells nobody else.
 *
 * @example
 * const affinity = createCookieAffinity(cluster, { secrets: [process.env.AFFINITY_SECRET ?? ''] });
 * const visit = affinity.read(request.headers.cookie);
 * const slot = affinity.pick(visit);
 * // ... cluster.start(slot), send, cluster.finish(slot, ...)
 * const setCookie = affinity.setCookie(visit, slot);
 * if (setCookie !== undefined) response.appendHeader('set-cookie', setCookie);
 *
 * @throws ConfigError naming every option that is wrong
 */
export function createCookieAffinity(
  cluster: Cluster,
  options: CookieAffinityOptions,
  ports: { readonly clock?: Clock | undefined } = {},
): CookieAffinity {
  const config = decode(cookieAffinitySchema, options, 'affinity');
  return new SignedCookieAffinity(cluster, config, ports.clock ?? systemClock);
}

class SignedCookieAffinity implements CookieAffinity {
  readonly #cluster: Cluster;
  readonly #config: CookieAffinityConfig;
  readonly #clock: Clock;
  readonly #tokens: AffinityTokens;
  readonly #index: EndpointIndex;
  readonly #attributes: string;
  readonly #visits = { absent: 0, invalid: 0, expired: 0, gone: 0, valid: 0 };
  #keptCount = 0;
  #movedCount = 0;

  constructor(cluster: Cluster, config: CookieAffinityConfig, clock: Clock) {
    this.#cluster = cluster;
    this.#config = config;
    this.#clock = clock;
    this.#tokens = new AffinityTokens(config.secrets, {
      cluster: cluster.name,
      cookie: config.name,
    });
    this.#index = new EndpointIndex(cluster, this.#tokens);
    this.#attributes = cookieAttributes(config);
  }

  read(cookieHeader: string | undefined): AffinityVisit {
    const visit = this.#read(cookieHeader);
    this.#visits[visit.status]++;
    return visit;
  }

  pick(visit: AffinityVisit, context: PickContext = ANY): number {
    const preference = { slot: visit.slot, strict: this.#config.strict };
    const slot = pickWithAffinity(this.#cluster, preference, context);
    if (visit.slot !== NO_SLOT && slot !== NO_SLOT) {
      if (slot === visit.slot) this.#keptCount++;
      else this.#movedCount++;
    }
    return slot;
  }

  setCookie(visit: AffinityVisit, slot: number): string | undefined {
    if (slot === visit.slot && !visit.renew) return undefined;
    const endpoint = this.#cluster.endpoint(slot);
    return endpoint && this.issue(endpoint);
  }

  issue(endpoint: Endpoint): string {
    const { name, maxAgeMs } = this.#config;
    const expiresAtS = Math.floor((this.#clock.wallMs() + maxAgeMs) / 1_000);
    return `${name}=${this.#tokens.sign(endpoint.id, expiresAtS)}${this.#attributes}`;
  }

  explain(cookieHeader: string | undefined, context: PickContext = ANY): AffinityExplanation {
    const { status, slot } = this.#read(cookieHeader);
    const kept = keepsPreference(this.#cluster, { slot, strict: this.#config.strict }, context);
    const endpoint = kept ? this.#cluster.endpoint(slot) : undefined;
    return {
      status,
      endpoint,
      reason: endpoint === undefined ? this.#whyMoved(status, slot) : 'the cookie names it',
    };
  }

  stats(): CookieAffinityStats {
    return {
      visits: { ...this.#visits },
      keptCount: this.#keptCount,
      movedCount: this.#movedCount,
    };
  }

  close(): void {
    this.#index.close();
  }

  #whyMoved(status: AffinityVisitStatus, slot: number): string {
    if (status !== 'valid') return WHY_MOVED[status];
    const state = this.#cluster.stateOf(slot) ?? 'gone';
    return `the cookie names an endpoint that may not serve: ${state}`;
  }

  /** The best of the cookies of our name: an old one left under another path must not hide a good one. */
  #read(cookieHeader: string | undefined): AffinityVisit {
    let best = ABSENT;
    for (const value of cookieValues(cookieHeader, this.#config.name, MAX_CANDIDATES)) {
      const visit = this.#judge(value);
      if (visit.status === 'valid') return visit;
      if (best.status === 'absent' || best.status === 'invalid') best = visit;
    }
    return best;
  }

  #judge(value: string): AffinityVisit {
    const token = this.#tokens.verify(value);
    if (token === undefined) return INVALID;
    const leftMs = token.expiresAtS * 1_000 - this.#clock.wallMs();
    if (leftMs <= 0) return EXPIRED;
    const slot = this.#index.slotOf(token.endpointName, token.secretIndex);
    if (slot === NO_SLOT) return GONE;
    const renew = token.secretIndex > 0 || leftMs < this.#config.maxAgeMs / 2;
    return { status: 'valid', slot, renew };
  }
}
