/** What routes do with their requests: forward, divide, redirect, respond. */
import type { HashKeySource, Random } from '@evenkeel/core';
import { hashKeyOf } from '@evenkeel/core';
import { Rendezvous, XxHash64 } from '@evenkeel/core/algorithm';
import { LocalAnswer } from '../engine/local-answer.ts';
import type {
  LocalTarget,
  Rewrite,
  Route,
  RouteRequest,
  RouteTraits,
  Target,
} from '../engine/route.ts';
import type { Filter } from '../filter/filter.ts';
import type { RouteMeter } from '../observability/route-meter.ts';

class Traits implements RouteTraits {
  readonly name: string;
  readonly rewrite: Rewrite | undefined;
  readonly filters: readonly Filter[] | undefined;
  readonly maxBodyBytes: number;
  readonly meter: RouteMeter | undefined;

  constructor({ name, rewrite, filters, maxBodyBytes, meter }: RouteTraits) {
    this.name = name;
    this.rewrite = rewrite;
    this.filters = filters;
    this.maxBodyBytes = maxBodyBytes;
    this.meter = meter;
  }
}

/** All requests to one target. */
export class ForwardRoute extends Traits implements Route {
  readonly #target: Target;

  constructor(target: Target, traits: RouteTraits) {
    super(traits);
    this.#target = target;
  }

  choose(): Target {
    return this.#target;
  }
}

/** A target with its part of the requests. */
export interface SplitSide {
  readonly target: Target;
  /** Relative to the others; 0 for none. At least one is above. */
  readonly weight: number;
  /** Distinct among the sides, and stable: keys are bound to it. */
  readonly name: string;
}

export interface SplitOptions {
  readonly sides: readonly SplitSide[];
  /** Where the key is that keeps a client with its side; undefined: every request is drawn. */
  readonly stickyBy: HashKeySource | undefined;
  readonly random: Random;
}

/**
 * Requests divided by weight: drawn, or by a key of the request. By key it is weighted rendezvous hashing, so that a
 * change of weights moves no more clients than it must: those of a canary that grows stay with it.
 */
export class SplitRoute extends Traits implements Route {
  readonly #targets: readonly Target[];
  /** Sum of the weights up to and with each side, where all of them make 2^32. */
  readonly #ends: Float64Array;
  readonly #random: Random;
  readonly #stickyBy: HashKeySource | undefined;
  readonly #scores: Rendezvous | undefined;
  /** Another seed than that of policies: who is in a canary must say nothing about the endpoint. */
  readonly #hasher = new XxHash64(0x53504c54);

  constructor({ sides, stickyBy, random }: SplitOptions, traits: RouteTraits) {
    super(traits);
    const open = sides.filter(({ weight }) => weight > 0);
    const weights = open.map(({ weight }) => weight);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    let before = 0;
    this.#targets = open.map(({ target }) => target);
    this.#ends = Float64Array.from(weights, (weight) => ((before += weight) / sum) * 2 ** 32);
    this.#random = random;
    this.#stickyBy = stickyBy;
    this.#scores =
      stickyBy === undefined
        ? undefined
        : new Rendezvous({ keys: open.map(({ name }) => name), weights });
  }

  choose(request: RouteRequest): Target {
    const stickyBy = this.#stickyBy;
    const key = stickyBy === undefined ? undefined : hashKeyOf(stickyBy, request);
    return this.#targets[key === undefined ? this.#draw() : this.#byKey(key)] as Target;
  }

  #byKey(key: string): number {
    this.#hasher.hashString(key);
    return (this.#scores as Rendezvous).lookup(this.#hasher.hi, this.#hasher.lo);
  }

  #draw(): number {
    const place = this.#random.nextInt32() >>> 0;
    const ends = this.#ends;
    const last = ends.length - 1;
    let at = 0;
    // The last end may be below 2^32 by rounding, so it is not asked.
    while (at < last && place >= (ends[at] as number)) at++;
    return at;
  }
}

/** The same answer for all requests. */
export class RespondRoute extends Traits implements Route {
  readonly #target: LocalTarget;

  constructor(answer: LocalAnswer, meter: RouteMeter, traits: RouteTraits) {
    super(traits);
    this.#target = { kind: 'local', answer, meter };
  }

  choose(): LocalTarget {
    return this.#target;
  }
}

export interface RedirectOptions {
  readonly status: number;
  readonly scheme: string | undefined;
  readonly host: string | undefined;
  /** Instead of the path of the request; with a query of its own it replaces the request's, too. */
  readonly path: string | undefined;
}

/** Sends the client elsewhere (RFC 9110 section 15.4). */
export class RedirectRoute extends Traits implements Route {
  readonly #options: RedirectOptions;
  readonly #meter: RouteMeter;

  constructor(options: RedirectOptions, meter: RouteMeter, traits: RouteTraits) {
    super(traits);
    this.#options = options;
    this.#meter = meter;
  }

  choose(request: RouteRequest): LocalTarget {
    const { status } = this.#options;
    const fields = `location: ${this.#locationOf(request)}\r\n`;
    return { kind: 'local', answer: new LocalAnswer(status, fields, NO_BODY), meter: this.#meter };
  }

  /** Every byte of host, path and query was judged when the head was read: none can end the line. */
  #locationOf(request: RouteRequest): string {
    const { scheme, host, path } = this.#options;
    const target = path ?? request.path;
    const whole = target.includes('?') ? target : `${target}${request.search}`;
    // Without a change of host a path of the configuration, which never begins with two slashes.
    if (scheme === undefined && host === undefined) return whole;
    // Another scheme has another port; a reference without a scheme keeps that of the request (RFC 3986 section 4.2).
    const authority = host ?? withoutPort(request.host);
    if (authority === '') return whole.replace(/^\/+/, '/');
    return `${scheme === undefined ? '' : `${scheme}:`}//${authority}${whole}`;
  }
}

const NO_BODY = Buffer.alloc(0);

function withoutPort(host: string): string {
  return host.replace(/:\d*$/, '');
}
