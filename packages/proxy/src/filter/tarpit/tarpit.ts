/**
 * `tarpit`: makes clients slow that were refused too often, or that come from certain networks: guessing passwords at one
 * per five seconds is not worth the time. Their requests are held, then go on like any other. The number of requests held
 * is bounded, because holding costs memory here, too: beyond it such clients are refused at once.
 *
 * Stands before the filters whose refusals count: responses pass it on their way back.
 */
import type { Runtime } from '@evenkeel/core';
import { KeyedRateLimiter } from '@evenkeel/core/resilience';
import { durationMs, integer, number, object } from '@evenkeel/core/schema';
import { z } from 'zod';
import type {
  Filter,
  FilterAnswer,
  FilterRequest,
  FilterResponse,
  FilterStatus,
} from '../filter.ts';
import type { FilterKind } from '../filter-kind.ts';
import { CidrSet } from '../../address/cidr-set.ts';
import { clientPrefix } from '../../address/client-prefix.ts';
import { networks } from '../shared/fields.ts';
import { held } from './held.ts';

export interface TarpitOptions {
  /** How long requests are held. 1 ms..10 min, default 5,000. */
  readonly delayMs?: number | undefined;
  /** Requests held at most. 1..100,000, default 1,000. */
  readonly maxHeld?: number | undefined;
  /** Answers of the proxy's own that count as refusals. Default 401, 403 and 429. */
  readonly statuses?: readonly number[] | undefined;
  /** Refusals of one client after which it is held. 1..1,000,000, default 10. */
  readonly refusals?: number | undefined;
  /** Refusals that are forgiven with time. 0.0001..1,000,000, default 0.1 per second. */
  readonly forgivenPerSecond?: number | undefined;
  /** Clients that are held always. */
  readonly networks?: readonly string[] | undefined;
}

export interface TarpitConfig {
  readonly delayMs: number;
  readonly maxHeld: number;
  readonly statuses: readonly number[];
  readonly refusals: number;
  readonly forgivenPerSecond: number;
  readonly networks: readonly string[];
}

export const tarpitKind: FilterKind<z.ZodType<TarpitConfig, TarpitOptions>> = {
  name: 'tarpit',
  about: 'Makes clients slow that were refused too often.',
  schema: object({
    delayMs: durationMs({ min: 1, max: 600_000 })
      .default(5_000)
      .describe('How long requests are held.'),
    maxHeld: integer({ min: 1, max: 100_000 }).default(1_000).describe('Requests held at most.'),
    statuses: z
      .array(integer({ min: 400, max: 599 }), { error: 'a list of statuses' })
      .default([401, 403, 429])
      .describe("Answers of the proxy's own that count as refusals."),
    refusals: integer({ min: 1, max: 1_000_000 })
      .default(10)
      .describe('Refusals of one client after which it is held.'),
    forgivenPerSecond: number({ min: 0.000_1, max: 1_000_000 })
      .default(0.1)
      .describe('Refusals that are forgiven with time.'),
    networks: networks.default([]).describe('Clients that are held always.'),
  }) as z.ZodType<TarpitConfig, TarpitOptions>,
  create: (config, { runtime }) => new TarpitFilter(config, runtime),
};

const REFUSAL: FilterAnswer = { status: 429, reason: 'tarpit-full' };

class TarpitFilter implements Filter {
  readonly name = 'tarpit';
  readonly #config: TarpitConfig;
  readonly #runtime: Runtime;
  readonly #statuses: ReadonlySet<number>;
  readonly #networks: CidrSet;
  /** A refusal takes a token; who has none left is held. */
  readonly #patience: KeyedRateLimiter;
  #heldCount = 0;
  #refusedCount = 0;

  constructor(config: TarpitConfig, runtime: Runtime) {
    this.#config = config;
    this.#runtime = runtime;
    this.#statuses = new Set(config.statuses);
    this.#networks = new CidrSet(config.networks.map((network) => ({ network, value: 1 })));
    this.#patience = new KeyedRateLimiter({
      requestsPerSecond: config.forgivenPerSecond,
      burst: config.refusals,
    });
  }

  onRequest(request: FilterRequest): FilterAnswer | undefined | Promise<undefined> {
    if (!this.#isSlow(request.clientAddress)) return undefined;
    if (this.#heldCount >= this.#config.maxHeld) {
      this.#refusedCount++;
      return REFUSAL;
    }
    this.#heldCount++;
    return held(this.#runtime.scheduler, this.#config.delayMs, request.signal).finally(
      () => void this.#heldCount--,
    );
  }

  onResponse({ isLocal, status }: FilterResponse, { clientAddress }: FilterRequest): void {
    if (!isLocal || !this.#statuses.has(status)) return;
    this.#patience.tryAcquire(clientPrefix(clientAddress), this.#runtime.clock.nowMs());
  }

  status(): FilterStatus {
    return { heldCount: this.#heldCount, refusedCount: this.#refusedCount };
  }

  #isSlow(address: string): boolean {
    if (this.#networks.has(address)) return true;
    return this.#patience.remaining(clientPrefix(address), this.#runtime.clock.nowMs()) === 0;
  }
}
