/**
 * The same limit for each of many keys. Instead of a bucket per key it keeps one number, the moment at which the key's
 * bucket will be full again (the "theoretical arrival time" of the generic cell rate algorithm, ITU-T I.371):
 *
 * ```text
 *   tokens = burst - (fullAt - now) * rate          a key that is not kept has fullAt <= now: a full bucket
 * ```
 *
 * So keys whose bucket is full need not be kept, and forgetting them is exact. Keys live in two generations; a request
 * moves its key to the young one, and when that holds half of `maxKeys` the old one is dropped as a whole:
 *
 * ```text
 *   young [ k7 k2 k9 ... ]  ── full ──►  old        old ── dropped
 * ```
 *
 * Somebody who invents more than `maxKeys / 2` keys per refill of a bucket can make buckets be forgotten early; memory
 * stays bounded. Against that, put a limit for all keys together in front.
 */
import { configError } from '../error/config-error.ts';
import { decode } from '../schema/decode.ts';
import { type RateLimitConfig, type RateLimitOptions, rateLimitSchema } from './rate-limiter.ts';

export class KeyedRateLimiter {
  readonly config: RateLimitConfig;
  /** Refusals since the start, of all keys. */
  rejectedCount = 0;
  readonly #perTokenMs: number;
  readonly #burstMs: number;
  readonly #generationSize: number;
  #young = new Map<string, number>();
  #old = new Map<string, number>();

  /**
   * @param maxKeys keys that are kept at most, 2..16,000,000; each takes about 100 bytes and its own text
   * @throws ConfigError naming every wrong option
   */
  constructor(options: RateLimitOptions, maxKeys = 100_000) {
    this.config = decode(rateLimitSchema, options, 'rateLimit');
    if (!Number.isInteger(maxKeys) || maxKeys < 2 || maxKeys > 16_000_000) {
      throw configError('rateLimit.maxKeys', 'an integer from 2 to 16000000', maxKeys);
    }
    this.#perTokenMs = 1_000 / this.config.requestsPerSecond;
    this.#burstMs = this.config.burst * this.#perTokenMs;
    this.#generationSize = Math.floor(maxKeys / 2);
  }

  /** Keys kept. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Admits a request of this key that counts as `cost`, or refuses it and takes nothing. */
  tryAcquire(key: string, nowMs: number, cost = 1): boolean {
    const fullAtMs = Math.max(nowMs, this.#fullAtMs(key)) + cost * this.#perTokenMs;
    if (fullAtMs - nowMs > this.#burstMs + ROUNDING_MS) {
      this.rejectedCount++;
      return false;
    }
    if (this.#young.size >= this.#generationSize && !this.#young.has(key)) this.#turn();
    this.#old.delete(key);
    this.#young.set(key, fullAtMs);
    return true;
  }

  /** Requests of this key that would be admitted now. */
  remaining(key: string, nowMs: number): number {
    const missingMs = Math.max(0, this.#fullAtMs(key) - nowMs);
    return Math.max(0, Math.floor((this.#burstMs - missingMs + ROUNDING_MS) / this.#perTokenMs));
  }

  /** How long until a request of this key and cost would be admitted: 0 for now, Infinity if it exceeds the burst. */
  waitMs(key: string, nowMs: number, cost = 1): number {
    if (cost > this.config.burst) return Number.POSITIVE_INFINITY;
    const missingMs = Math.max(0, this.#fullAtMs(key) - nowMs);
    return Math.max(0, missingMs + cost * this.#perTokenMs - this.#burstMs);
  }

  #fullAtMs(key: string): number {
    return this.#young.get(key) ?? this.#old.get(key) ?? Number.NEGATIVE_INFINITY;
  }

  #turn(): void {
    this.#old = this.#young;
    this.#young = new Map();
  }
}

/** Sums of thirds of milliseconds must not cost a token. */
const ROUNDING_MS = 1e-6;
