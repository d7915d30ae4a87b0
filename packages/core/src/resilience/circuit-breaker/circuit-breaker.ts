/**
 * A circuit breaker on top of opossum, for a cluster, a route or an endpoint: when too many calls fail, further ones are
 * refused at once for a while, and then a single trial decides.
 *
 * ```text
 *             more than errorThresholdPercent failed
 *   closed ─────────────────────────────────────────► open ◄───────────┐
 *     ▲                                                │ openMs        │ trial failed, or said nothing
 *     └───────────── trial succeeded ── half-open ◄────┘───────────────┘
 *                                       admits one call
 * ```
 *
 * opossum keeps the window and the states. What it sees of a call is a verdict that we give, not the call itself, and
 * that is what keeps its traps shut:
 *
 * - a call that was cancelled is reported neither as failed nor as succeeded. With an `errorFilter` opossum counts it as
 *   a success, and a success in the half-open state closes the circuit: a user who leaves would let the flood in;
 * - a call that began before the circuit opened and ends in the half-open state does not decide about it;
 * - an answer with status 503 is a failure although its promise was fulfilled;
 * - abort controllers are ours, one per call; opossum's is one for all calls, and stays aborted;
 * - calls refused while open do not count as calls, which would dilute the failures;
 * - the window is emptied when the circuit closes, or the first failure after it would open it again;
 * - the lists of latencies that opossum fills even when it is told not to use them are emptied with every bucket.
 *
 * opossum's own clock decides when the open state ends (`setTimeout`), so a breaker does not run in virtual time.
 */
import { EventEmitter } from 'node:events';
import Opossum from 'opossum';
import { isFailure, Outcome } from '../../model/outcome.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { createRuntime } from '../../runtime/runtime.ts';
import type { Timer } from '../../runtime/scheduler.ts';
import { decode } from '../../schema/decode.ts';
import { BucketClock } from './bucket-clock.ts';
import {
  type CircuitBreakerConfig,
  type CircuitBreakerOptions,
  circuitBreakerSchema,
} from './config.ts';
import { type CallAction, type CallOptions, type Entry, guardedCall } from './guarded-call.ts';

export type CircuitState = 'closed' | 'open' | 'half-open' | 'shutdown';

/** Why a circuit changed its state. */
export type CircuitReason =
  'failures' | 'time' | 'trial-succeeded' | 'trial-failed' | 'trial-undecided' | 'operator';

export interface CircuitEvent {
  readonly type: 'circuit-changed';
  /** Name of the breaker. */
  readonly name: string;
  readonly from: CircuitState;
  readonly to: CircuitState;
  readonly reason: CircuitReason;
}

export type CircuitListener = (event: CircuitEvent) => void;

export interface CircuitSnapshot {
  readonly name: string;
  readonly state: CircuitState;
  /** In the window. */
  readonly callCount: number;
  /** In the window. */
  readonly failureCount: number;
  /** Calls refused since the start. */
  readonly rejectedCount: number;
  /** Times opened since the start. */
  readonly openedCount: number;
}

export interface CircuitPorts {
  readonly runtime?: Partial<Runtime> | undefined;
  /** Shared by the breakers of one set. Default: one of its own. */
  readonly clock?: BucketClock | undefined;
  readonly onEvent?: CircuitListener | undefined;
}

/** What a failed call rejects with inside opossum. Nobody sees it, so its stack is made once. */
const FAILURE = new Error('the call failed');
const ignore = (): void => undefined;

export class CircuitBreaker {
  readonly name: string;
  readonly config: CircuitBreakerConfig;
  /** Calls refused since the start. */
  rejectedCount = 0;
  /** Times opened since the start. */
  openedCount = 0;

  readonly #opossum: Opossum<[Promise<void>], void>;
  readonly #buckets = new EventEmitter();
  readonly #runtime: Runtime;
  readonly #listeners = new Set<CircuitListener>();
  readonly #stopClock: () => void;
  #state: CircuitState = 'closed';
  /** Grows with every change of state: verdicts of calls from before it do not count. */
  #epoch = 0;
  #reason: CircuitReason = 'failures';

  /** @param name for events and errors; of the cluster, or of cluster and endpoint @throws ConfigError */
  constructor(name: string, options: CircuitBreakerOptions = {}, ports: CircuitPorts = {}) {
    this.name = name;
    this.config = decode(circuitBreakerSchema, options, 'circuitBreaker');
    this.#runtime = createRuntime(ports.runtime);
    if (ports.onEvent !== undefined) this.#listeners.add(ports.onEvent);
    this.#opossum = new Opossum((verdict: Promise<void>) => verdict, {
      name,
      timeout: false,
      errorThresholdPercentage: this.config.errorThresholdPercent,
      volumeThreshold: this.config.minRequests,
      rollingCountTimeout: this.config.windowMs,
      rollingCountBuckets: this.config.buckets,
      resetTimeout: this.config.openMs,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: this.#buckets,
    });
    this.#opossum.on('open', () => this.#onOpen());
    this.#opossum.on('halfOpen', () => this.#change('half-open', 'time'));
    this.#opossum.on('close', () => this.#onClose());
    const clock = ports.clock ?? bucketClockFor(this.config, this.#runtime);
    this.#stopClock = clock.add(() => this.#turn());
  }

  get state(): CircuitState {
    return this.#state;
  }

  /**
   * Asks for a call. What is admitted must be finished exactly once.
   *
   * @returns undefined when the circuit refuses
   */
  enter(): Entry | undefined {
    const opossum = this.#opossum;
    // Not left to opossum, which would count the refused call as a call.
    if (!opossum.closed && !opossum.pendingClose) {
      this.rejectedCount++;
      return undefined;
    }
    const trial = !opossum.closed;
    const epoch = this.#epoch;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    opossum.fire(promise).catch(ignore);
    let timer: Timer | undefined;
    let finished = false;
    const finish = (outcome: Outcome): void => {
      if (finished) return;
      finished = true;
      timer?.cancel();
      if (epoch !== this.#epoch) return;
      if (isFailure(outcome)) {
        this.#reason = trial ? 'trial-failed' : 'failures';
        reject(FAILURE);
      } else if (outcome === Outcome.success) {
        resolve();
      } else if (trial) {
        // Nothing was learnt. The verdict stays open for ever, and the next trial comes when its time has come.
        this.#reason = 'trial-undecided';
        opossum.open();
      }
    };
    if (trial) {
      const { trialTimeoutMs } = this.config;
      timer = this.#runtime.scheduler.after(trialTimeoutMs, () => finish(Outcome.timeout));
    }
    return { finish };
  }

  /**
   * Calls `action` unless the circuit refuses, within a time limit, and reports how it went.
   *
   * @throws AdmissionError when the circuit is open, EvenkeelError EVENKEEL_DEADLINE when the time is over, whatever
   *   the action throws, the signal's reason; unless the fallback answers instead
   */
  call<T>(action: CallAction<T>, options: CallOptions<T> = {}): Promise<T> {
    const { scheduler } = this.#runtime;
    const { callTimeoutMs } = this.config;
    return guardedCall(action, options, {
      name: this.name,
      scheduler,
      callTimeoutMs,
      enter: () => this.enter(),
    });
  }

  /** Hears of every change of state. @returns a function that ends the subscription */
  subscribe(listener: CircuitListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Opens the circuit by hand; it comes back as after failures. */
  open(): void {
    if (this.#state === 'shutdown') return;
    this.#reason = 'operator';
    this.#opossum.open();
  }

  snapshot(): CircuitSnapshot {
    const { fires, failures } = this.#opossum.stats;
    return {
      name: this.name,
      state: this.#state,
      callCount: fires,
      failureCount: failures,
      rejectedCount: this.rejectedCount,
      openedCount: this.openedCount,
    };
  }

  /** Refuses everything from now on, and leaves no timer behind. Idempotent. */
  close(): void {
    if (this.#state === 'shutdown') return;
    this.#change('shutdown', 'operator');
    this.#stopClock();
    this.#opossum.shutdown();
    this.#listeners.clear();
  }

  #onOpen(): void {
    this.openedCount++;
    this.#change('open', this.#reason);
  }

  #onClose(): void {
    // What happened before the circuit opened is past.
    for (let bucket = 0; bucket < this.config.buckets; bucket++) this.#turn();
    this.#change('closed', 'trial-succeeded');
  }

  /** The current bucket ends. */
  #turn(): void {
    const [current] = this.#opossum.status.window as unknown as readonly OpossumBucket[];
    if (current !== undefined) current.latencyTimes.length = 0;
    this.#buckets.emit('rotate');
  }

  #change(to: CircuitState, reason: CircuitReason): void {
    const from = this.#state;
    this.#state = to;
    this.#epoch++;
    const event: CircuitEvent = { type: 'circuit-changed', name: this.name, from, to, reason };
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        // A listener must not disturb the breaker.
        this.#runtime.logger.error({ err: error, circuit: this.name }, 'circuit listener failed');
      }
    }
  }
}

/** The part of opossum's buckets that has to be kept from growing. */
interface OpossumBucket {
  readonly latencyTimes: number[];
}

/** A clock for breakers with this configuration. */
export function bucketClockFor(config: CircuitBreakerConfig, runtime: Runtime): BucketClock {
  return new BucketClock(runtime.scheduler, config.windowMs / config.buckets);
}
