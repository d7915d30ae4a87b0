/**
 * `rateLimit`: refuses requests beyond a rate, by key, and tells clients how they stand
 * (draft-ietf-httpapi-ratelimit-headers-10). Buckets are core's; they are of this process alone.
 */
import {
  KeyedRateLimiter,
  rateLimitHeaders,
  type RateLimitHeaders,
} from '@evenkeel/core/resilience';
import type { Logger } from '@evenkeel/core';
import type { z } from 'zod';
import type { Filter, FilterAnswer, FilterRequest, FilterStatus } from '../filter.ts';
import type { FilterKind, FilterPorts } from '../filter-kind.ts';
import { CidrSet } from '../../address/cidr-set.ts';
import { RequestKey } from '../shared/request-key.ts';
import {
  type RateLimitFilterConfig,
  type RateLimitFilterOptions,
  rateLimitFilterSchema,
} from './schema.ts';

export const rateLimitKind: FilterKind<z.ZodType<RateLimitFilterConfig, RateLimitFilterOptions>> = {
  name: 'rateLimit',
  about: 'How many requests go in, by key.',
  schema: rateLimitFilterSchema,
  create: (config, { runtime }) => new RateLimitFilter(config, runtime),
};

/** At most one line of log for so many milliseconds: an attack must not fill the disk. */
const LOG_EVERY_MS = 10_000;

class RateLimitFilter implements Filter {
  readonly name = 'rateLimit';
  readonly #config: RateLimitFilterConfig;
  readonly #runtime: FilterPorts['runtime'];
  readonly #limiter: KeyedRateLimiter;
  readonly #key: RequestKey;
  readonly #exempt: CidrSet | undefined;
  #rejectedCount = 0;
  #loggedMs = Number.NEGATIVE_INFINITY;

  constructor(config: RateLimitFilterConfig, runtime: FilterPorts['runtime']) {
    const { requestsPerSecond, burst, maxKeys, exempt } = config;
    this.#config = config;
    this.#runtime = runtime;
    this.#limiter = new KeyedRateLimiter({ requestsPerSecond, burst }, maxKeys);
    this.#key = new RequestKey(config.key, {
      ipv4Bits: config.ipv4PrefixBits,
      ipv6Bits: config.ipv6PrefixBits,
    });
    this.#exempt =
      exempt.length === 0
        ? undefined
        : new CidrSet(exempt.map((network) => ({ network, value: 1 })));
  }

  onRequest(request: FilterRequest): FilterAnswer | undefined {
    if (this.#exempt?.has(request.clientAddress) === true) return undefined;
    const key = this.#key.of(request);
    if (key === undefined && this.#config.missingKey === 'skip') return undefined;
    return this.#count(key ?? MISSING, request);
  }

  status(): FilterStatus {
    return {
      limit: this.#config.name,
      rejectedCount: this.#rejectedCount,
      keyCount: this.#limiter.size,
      dryRun: this.#config.dryRun,
    };
  }

  #count(key: string, request: FilterRequest): FilterAnswer | undefined {
    const { clock } = this.#runtime;
    const nowMs = clock.nowMs();
    const { headers, dryRun, status } = this.#config;
    const admitted = this.#limiter.tryAcquire(key, nowMs);
    if (!admitted) this.#rejected(nowMs);
    // What a limit on trial says must not make clients slow down.
    if (dryRun || (admitted && !headers)) return undefined;
    const fields = this.#fields(key, nowMs, admitted);
    if (headers) {
      // Another limit may have told of itself already: both are members of one list.
      request.responseHeaders.append('ratelimit-policy', fields['ratelimit-policy']);
      request.responseHeaders.append('ratelimit', fields.ratelimit);
    }
    if (admitted) return undefined;
    const retryAfter = fields['retry-after'];
    return {
      status,
      headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
      reason: 'rate-limited',
    };
  }

  #fields(key: string, nowMs: number, admitted: boolean): RateLimitHeaders {
    const limiter = this.#limiter;
    return rateLimitHeaders(this.#config.name, {
      config: limiter.config,
      remaining: limiter.remaining(key, nowMs),
      waitMs: admitted ? undefined : limiter.waitMs(key, nowMs),
    });
  }

  #rejected(nowMs: number): void {
    this.#rejectedCount++;
    if (nowMs - this.#loggedMs < LOG_EVERY_MS) return;
    this.#loggedMs = nowMs;
    const { name, dryRun } = this.#config;
    const logger: Logger = this.#runtime.logger;
    logger.info(
      { limit: name, rejectedCount: this.#rejectedCount, dryRun },
      dryRun ? 'requests beyond a rate limit on trial' : 'requests beyond a rate limit',
    );
  }
}

/** No key of parts: those end with NUL. */
const MISSING = '-';
