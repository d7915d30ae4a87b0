/**
 * Does the limit find what a server can take, and again when that changes? A server with a number of workers and a queue,
 * one client with a Poisson stream of requests, virtual time. Requests beyond the limit are refused and gone.
 */
import { describe, expect, it } from 'vitest';
import { Outcome } from '../../model/outcome.ts';
import { XorShift128 } from '../../runtime/random.ts';
import { EventQueue } from '../test-support/event-queue.ts';
import {
  poissonArrivals,
  QueueingServer,
  type ServerOptions,
} from '../test-support/queueing-server.ts';
import type { ConcurrencyOptions } from './config.ts';
import { ConcurrencyLimiter } from './limiter.ts';

const WORKERS = 50;
const SERVICE_MS = 20;

/** What a client saw of a stretch of time. */
interface Stretch {
  /** Mean limit. */
  readonly limit: number;
  /** Served, as a part of what the server could have served. */
  readonly utilisation: number;
  /** Mean time of an answer. */
  readonly rttMs: number;
}

class Client {
  readonly server: QueueingServer;
  readonly limiter: ConcurrencyLimiter;
  readonly #events = new EventQueue();
  #served = 0;
  #rttSumMs = 0;

  /** @param load arrivals per millisecond */
  constructor(options: ConcurrencyOptions, server: Partial<ServerOptions>, load: number) {
    this.server = new QueueingServer(this.#events, new XorShift128(3), {
      workers: WORKERS,
      serviceMs: SERVICE_MS,
      ...server,
    });
    this.limiter = new ConcurrencyLimiter(options, { random: new XorShift128(7) });
    const arrive = (): void => this.#arrive();
    poissonArrivals(this.#events, new XorShift128(11), { perMs: () => load, arrive });
  }

  run(seconds: number): Stretch {
    const endMs = this.#events.nowMs + seconds * 1_000;
    this.#served = 0;
    this.#rttSumMs = 0;
    let limitSum = 0;
    let looks = 0;
    while (this.#events.nowMs < endMs) {
      this.#events.runUntil(this.#events.nowMs + 100);
      limitSum += this.limiter.limit;
      looks++;
    }
    const { workers, serviceMs } = this.server.options;
    const capacity = (seconds * 1_000 * workers) / serviceMs;
    return {
      limit: limitSum / looks,
      utilisation: this.#served / capacity,
      rttMs: this.#rttSumMs / this.#served,
    };
  }

  #arrive(): void {
    const { limiter } = this;
    if (!limiter.tryAcquire()) return;
    const startMs = this.#events.nowMs;
    this.server.submit((isServed) => {
      const { nowMs } = this.#events;
      if (isServed) {
        this.#served++;
        this.#rttSumMs += nowMs - startMs;
      }
      limiter.release(isServed ? Outcome.success : Outcome.overloaded, nowMs - startMs, nowMs);
    });
  }
}

/** 160 % of the capacity of 2.5 per ms. */
const OVERLOAD = 4;

/** With a tolerance t the gradient is 1 up to L = t * C, and the rest is L (1 - g) = queueSize. */
const GRADIENT2_LIMIT = 1.5 * WORKERS + 4;
/** Measured times are means of samples: 50 for the base, about 250 for a window. One part in seven is one deviation. */
const NOISE = 0.15;

describe.each(['constant', 'exponential'] as const)('times of service: %s', (spread) => {
  it('Gradient2 rests at tolerance * C + queueSize, and wastes nothing', () => {
    const client = new Client({ algorithm: 'gradient2' }, { spread }, OVERLOAD);
    client.run(15);
    const { limit, utilisation, rttMs } = client.run(120);
    expect(Math.abs(limit / GRADIENT2_LIMIT - 1)).toBeLessThan(NOISE);
    expect(utilisation).toBeGreaterThan(0.97);
    // Little's law: in flight / throughput.
    expect(rttMs).toBeCloseTo((limit * SERVICE_MS) / WORKERS, -0.5);
  });

  it('Vegas keeps a queue of alpha to beta times log10 of the limit', () => {
    const client = new Client({ algorithm: 'vegas' }, { spread }, OVERLOAD);
    client.run(15);
    const { limit, utilisation } = client.run(120);
    const log = Math.log10(limit);
    expect(limit).toBeGreaterThan((WORKERS + 3 * log) * (1 - NOISE));
    expect(limit).toBeLessThan((WORKERS + 6 * log) * (1 + NOISE));
    expect(utilisation).toBeGreaterThan(0.97);
  });

  it('AIMD swings below the point at which the server refuses', () => {
    const queueLimit = 30;
    const client = new Client({ algorithm: 'aimd' }, { spread, queueLimit }, OVERLOAD);
    client.run(15);
    const { limit, utilisation } = client.run(60);
    const ceiling = WORKERS + queueLimit;
    expect(limit).toBeGreaterThan(0.9 * ceiling * 0.95);
    expect(limit).toBeLessThan(ceiling * 1.03);
    expect(utilisation).toBeGreaterThan(0.99);
  });
});

describe.each(['gradient2', 'vegas'] as const)('%s, when the server changes', (algorithm) => {
  const expected = (workers: number): [number, number] =>
    algorithm === 'gradient2'
      ? [(1.5 * workers + 4) * (1 - NOISE), (1.5 * workers + 4) * (1 + NOISE)]
      : [(workers + 3) * (1 - NOISE), (workers + 12) * (1 + NOISE)];

  it('follows the number of workers down and up', () => {
    const client = new Client({ algorithm }, {}, OVERLOAD);
    client.run(15);
    for (const workers of [25, 60, 10, 50]) {
      client.server.options.workers = workers;
      client.run(60);
      const { limit, utilisation } = client.run(60);
      const [low, high] = expected(workers);
      expect(limit).toBeGreaterThan(low);
      expect(limit).toBeLessThan(high);
      expect(utilisation).toBeGreaterThan(0.95);
    }
  });

  it('finds out, by draining the queue, that answers now take three times as long, and that they no longer do', () => {
    const client = new Client({ algorithm }, {}, OVERLOAD);
    client.run(15);
    for (const serviceMs of [60, 20]) {
      client.server.options.serviceMs = serviceMs;
      client.run(90);
      const { limit, utilisation } = client.run(60);
      const [low, high] = expected(WORKERS);
      expect(limit).toBeGreaterThan(low);
      expect(limit).toBeLessThan(high * 1.1);
      expect(utilisation).toBeGreaterThan(0.95);
    }
  });

  it('does not drift in an overload of ten minutes', () => {
    const client = new Client({ algorithm }, {}, OVERLOAD);
    client.run(15);
    const first = client.run(60);
    client.run(480);
    const last = client.run(60);
    expect(Math.abs(last.limit / first.limit - 1)).toBeLessThan(2 * NOISE);
  });

  it('stays out of the way at half of the capacity: nothing is refused, and nothing drained to measure', () => {
    const client = new Client({ algorithm }, {}, 1.25);
    client.run(15);
    const refusedBefore = client.limiter.rejectedCount;
    const { rttMs } = client.run(120);
    expect(client.limiter.rejectedCount).toBe(refusedBefore);
    expect(rttMs).toBeLessThan(SERVICE_MS * 1.05);
  });
});

describe('several clients of one server', () => {
  it('AIMD shares it out evenly, whoever came first', () => {
    const events = new EventQueue();
    const server = new QueueingServer(events, new XorShift128(3), {
      workers: WORKERS,
      serviceMs: SERVICE_MS,
      queueLimit: 30,
    });
    const limiters = [5, 60].map(
      (initialLimit, index) =>
        new ConcurrencyLimiter(
          { algorithm: 'aimd', initialLimit },
          { random: new XorShift128(index) },
        ),
    );
    for (const [index, limiter] of limiters.entries()) {
      const arrive = (): void => {
        if (!limiter.tryAcquire()) return;
        const startMs = events.nowMs;
        server.submit((isServed) => {
          const outcome = isServed ? Outcome.success : Outcome.overloaded;
          limiter.release(outcome, events.nowMs - startMs, events.nowMs);
        });
      };
      poissonArrivals(events, new XorShift128(20 + index), { perMs: () => OVERLOAD, arrive });
    }
    events.runUntil(60_000);
    let [sumA, sumB] = [0, 0];
    for (let second = 0; second < 60; second++) {
      events.runUntil(60_000 + second * 1_000);
      sumA += limiters[0]!.limit;
      sumB += limiters[1]!.limit;
    }
    expect(sumA / sumB).toBeGreaterThan(0.8);
    expect(sumA / sumB).toBeLessThan(1.25);
  });
});
