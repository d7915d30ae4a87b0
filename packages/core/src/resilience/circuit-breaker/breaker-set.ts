/**
 * The circuit breakers of one cluster: one for the whole, and one per endpoint for those who want it. (Within a cluster,
 * outlier detection does the same job with more knowledge; a breaker per endpoint is for calls that do not go through
 * the cluster's picks.) All share one timer.
 */
import type { Runtime } from '../../runtime/runtime.ts';
import { createRuntime } from '../../runtime/runtime.ts';
import { decode } from '../../schema/decode.ts';
import type { BucketClock } from './bucket-clock.ts';
import { bucketClockFor, CircuitBreaker, type CircuitListener } from './circuit-breaker.ts';
import type { CircuitSnapshot } from '../circuit.ts';
import { type CircuitBreakerOptions, circuitBreakerSchema } from '../circuit-breaker-config.ts';

export interface CircuitBreakersOptions {
  /** Name of the cluster. */
  readonly name: string;
  readonly options?: CircuitBreakerOptions | undefined;
  readonly runtime?: Partial<Runtime> | undefined;
  /** Hears of every change of state of every breaker. */
  readonly onEvent?: CircuitListener | undefined;
}

export class CircuitBreakers {
  /** For all calls to the cluster. */
  readonly cluster: CircuitBreaker;
  readonly #name: string;
  readonly #options: CircuitBreakerOptions;
  readonly #runtime: Runtime;
  readonly #clock: BucketClock;
  readonly #onEvent: CircuitListener | undefined;
  readonly #endpoints = new Map<string, CircuitBreaker>();
  #closed = false;

  /** @throws ConfigError naming every wrong option */
  constructor({ name, options = {}, runtime, onEvent }: CircuitBreakersOptions) {
    this.#name = name;
    this.#options = decode(circuitBreakerSchema, options, 'circuitBreaker');
    this.#runtime = createRuntime(runtime);
    this.#clock = bucketClockFor(decode(circuitBreakerSchema, options, ''), this.#runtime);
    this.#onEvent = onEvent;
    this.cluster = this.#create(name);
  }

  /** The breaker of an endpoint, made when it is first asked for. It lives until {@link remove}. */
  endpoint(id: string): CircuitBreaker {
    let breaker = this.#endpoints.get(id);
    if (breaker === undefined) {
      breaker = this.#create(`${this.#name}/${id}`);
      if (this.#closed) breaker.close();
      else this.#endpoints.set(id, breaker);
    }
    return breaker;
  }

  /** The endpoint is gone (the cluster's event `endpoint-removed`). */
  remove(id: string): void {
    this.#endpoints.get(id)?.close();
    this.#endpoints.delete(id);
  }

  /** Every breaker, the cluster's first. */
  snapshot(): readonly CircuitSnapshot[] {
    return [this.cluster, ...this.#endpoints.values()].map((breaker) => breaker.snapshot());
  }

  /** Closes all. Idempotent. */
  close(): void {
    this.#closed = true;
    this.cluster.close();
    for (const breaker of this.#endpoints.values()) breaker.close();
    this.#endpoints.clear();
  }

  #create(name: string): CircuitBreaker {
    return new CircuitBreaker(name, this.#options, {
      runtime: this.#runtime,
      clock: this.#clock,
      onEvent: this.#onEvent,
    });
  }
}
