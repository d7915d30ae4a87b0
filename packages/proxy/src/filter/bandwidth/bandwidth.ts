/**
 * `bandwidth`: bytes per second of request and response bodies, for each request or for each key. Chunks wait as a whole:
 * the rate holds over seconds, not within a chunk. One timer for a chunk that waits, none for the others.
 */
import { integer, object } from '@evenkeel/core/schema';
import type { Runtime, Timer } from '@evenkeel/core';
import type { z } from 'zod';
import type { BodyFilter, Filter, FilterRequest, FilterResponse } from '../filter.ts';
import type { FilterKind } from '../filter-kind.ts';
import { Generations } from '../shared/generations.ts';
import { type KeyPart, keyParts, RequestKey } from '../shared/request-key.ts';
import { Pacer } from './pacer.ts';

export interface BandwidthOptions {
  /** Of request bodies. 4,096..10^12; default no limit. */
  readonly requestBytesPerSecond?: number | undefined;
  /** Of response bodies. 4,096..10^12; default no limit. */
  readonly responseBytesPerSecond?: number | undefined;
  /** Bytes that go at full speed after a pause. 0..10^9, default 65,536. */
  readonly burstBytes?: number | undefined;
  /** Whose requests share the rate, `['client']`; default every request has it for itself. */
  readonly key?: readonly KeyPart[] | undefined;
  /** Keys that are kept at most. 2..1,000,000, default 10,000. */
  readonly maxKeys?: number | undefined;
}

export interface BandwidthConfig {
  readonly requestBytesPerSecond: number | undefined;
  readonly responseBytesPerSecond: number | undefined;
  readonly burstBytes: number;
  readonly key: readonly KeyPart[] | undefined;
  readonly maxKeys: number;
}

const rate = integer({ min: 4_096, max: 1e12 }).optional();

export const bandwidthKind: FilterKind<z.ZodType<BandwidthConfig, BandwidthOptions>> = {
  name: 'bandwidth',
  about: 'Bytes per second of bodies.',
  schema: object({
    requestBytesPerSecond: rate.describe('Of request bodies.'),
    responseBytesPerSecond: rate.describe('Of response bodies.'),
    burstBytes: integer({ min: 0, max: 1e9 })
      .default(65_536)
      .describe('Bytes that go at full speed after a pause.'),
    key: keyParts.optional().describe("Whose requests share the rate, `['client']`."),
    maxKeys: integer({ min: 2, max: 1_000_000 })
      .default(10_000)
      .describe('Keys that are kept at most.'),
  }).refine(
    (raw) => raw.requestBytesPerSecond !== undefined || raw.responseBytesPerSecond !== undefined,
    { error: 'at least one of requestBytesPerSecond and responseBytesPerSecond' },
  ) as z.ZodType<BandwidthConfig, BandwidthOptions>,
  create: (config, { runtime }) => bandwidthFilter(config, runtime),
};

function bandwidthFilter(config: BandwidthConfig, runtime: Runtime): Filter {
  const filter: { -readonly [Key in keyof Filter]: Filter[Key] } = { name: 'bandwidth' };
  const up = directionOf(config.requestBytesPerSecond, config);
  const down = directionOf(config.responseBytesPerSecond, config);
  if (up !== undefined) {
    filter.requestBody = (request: FilterRequest) => new PacedBody(up.pacerOf(request), runtime);
  }
  if (down !== undefined) {
    filter.responseBody = (_: FilterResponse, request: FilterRequest) =>
      new PacedBody(down.pacerOf(request), runtime);
  }
  return filter;
}

function directionOf(
  bytesPerSecond: number | undefined,
  config: BandwidthConfig,
): Direction | undefined {
  return bytesPerSecond === undefined ? undefined : new Direction(bytesPerSecond, config);
}

const WHOLE_HOST = { ipv4Bits: 32, ipv6Bits: 64 };

/** The pacers of one direction. */
class Direction {
  readonly #bytesPerSecond: number;
  readonly #burstBytes: number;
  readonly #key: RequestKey | undefined;
  readonly #byKey: Generations<Pacer>;

  constructor(bytesPerSecond: number, { burstBytes, key, maxKeys }: BandwidthConfig) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#burstBytes = burstBytes;
    this.#key = key && new RequestKey(key, WHOLE_HOST);
    this.#byKey = new Generations(maxKeys);
  }

  pacerOf(request: FilterRequest): Pacer {
    if (this.#key === undefined) return this.#make();
    const key = this.#key.of(request) ?? '';
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const made = this.#make();
    this.#byKey.set(key, made);
    return made;
  }

  #make(): Pacer {
    return new Pacer(this.#bytesPerSecond, this.#burstBytes);
  }
}

/** Shorter waits are not worth a timer: the debt is kept, and a later chunk waits for it. */
export const SHORTEST_WAIT_MS = 5;

class PacedBody implements BodyFilter {
  readonly keepsLength = true;
  readonly #pacer: Pacer;
  readonly #runtime: Runtime;
  #timer: Timer | undefined = undefined;
  #go: (() => void) | undefined = undefined;

  constructor(pacer: Pacer, runtime: Runtime) {
    this.#pacer = pacer;
    this.#runtime = runtime;
  }

  transform(chunk: Buffer): Buffer | Promise<Buffer> {
    const waitMs = this.#pacer.take(this.#runtime.clock.nowMs(), chunk.length);
    if (waitMs < SHORTEST_WAIT_MS) return chunk;
    return new Promise((resolve) => {
      this.#go = () => resolve(chunk);
      this.#timer = this.#runtime.scheduler.after(waitMs, this.#go);
    });
  }

  close(): void {
    this.#timer?.cancel();
    this.#go?.();
  }
}
