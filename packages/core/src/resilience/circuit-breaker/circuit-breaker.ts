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
 * opossum keeps the window and judges it. What it sees of a call is its verdict, when the call has ended, and not the
 * call itself; and the time that it sees is that of the runtime. That is what keeps its traps shut:
 *
 * - a call that was cancelled is reported neither as failed nor as succeeded. With an `errorFilter` opossum counts it as
 *   a success, and a success in the half-open state closes the circuit: a user who leaves would let the flood in;
 * - a call that began before the circuit opened and ends in the half-open state does not decide about it;
 * - an answer with status 503 is a failure although its promise was fulfilled;
 * - abort controllers are ours, one per call; opossum's is one for all calls, and stays aborted;
 * - calls under way and calls refused while open do not count as calls, which would dilute the failures;
 * - the window is emptied when the circuit closes, or the first failure after it has closed would open it again;
 * - the lists of latencies that opossum fills even when it is told not to use them are emptied with every bucket;
 * - its verdict is there at once. A promise would give it a moment later, in which calls slip through;
 * - the open state ends by the runtime's scheduler, so that a breaker runs in virtual time. For that opossum is replaced
 *   by a new one which begins half-open.
 */
import { EventEmitter } from 'node:events';
import Opossum from 'opossum';
import type { CircuitChange, CircuitReason, CircuitState } from '../../model/circuit-state.ts';
import { isFailure, Outcome } from '../../model/outcome.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { createRuntime } from '../../runtime/runtime.ts';
import type { Timer } from '../../runtime/scheduler.ts';
import { decode } from '../../schema/decode.ts';
import type { Circuit, CircuitSnapshot } from '../circuit.ts';
import {
  type CircuitBreakerConfig,
  type CircuitBreakerOptions,
  circuitBreakerSchema,
  type CircuitConfig,
} from '../circuit-breaker-config.ts';
import { BucketClock } from './bucket-clock.ts';
import { type CallAction, type CallOptions, type Entry, guardedCall } from './guarded-call.ts';

export interface CircuitEvent extends CircuitChange {
  readonly type: 'circuit-changed';
  /** Name of the breaker. */
  readonly name: string;
}

export type CircuitListener = (event: CircuitEvent) => void;

export interface CircuitPorts {
  readonly runtime?: Partial<Runtime> | undefined;
  /** Shared by the breakers of one set. Default: one of its own. */
  readonly clock?: BucketClock | undefined;
  readonly onEvent?: CircuitListener | undefined;
}

/** What a failed call rejects with inside opossum. Nobody sees it, so its stack is made once. */
const FAILURE = new Error('the call failed');
const ignore = (): void => undefined;

export class CircuitBreaker implements Circuit {
  readonly name: string;
  readonly config: CircuitBreakerConfig;
  /** Calls refused since the start. */
  rejectedCount = 0;
  /** Times opened since the start. */
  openedCount = 0;

  readonly #buckets = new EventEmitter();
  readonly #runtime: Runtime;
  readonly #listeners = new Set<CircuitListener>();
  readonly #stopClock: () => void;
  #opossum: Opossum<[PromiseLike<void>], void>;
  #state: CircuitState = 'closed';
  /** Since when: what was admitted before has nothing to say. */
  #sinceMs: number;
  /** Grows with every change of state, for calls that can carry it. */
  #epoch = 0;
  #reason: CircuitReason = 'failures';
  /** Is the trial of the half-open state under way? */
  #onTrial = false;
  /** Ends the open state, or a trial that takes too long. */
  #timer: Timer | undefined;

  /** @param name for events and errors; of the cluster, or of cluster and endpoint @throws ConfigError */
  constructor(name: string, options: CircuitBreakerOptions = {}, ports: CircuitPorts = {}) {
    this.name = name;
    this.config = decode(circuitBreakerSchema, options, 'circuitBreaker');
    this.#runtime = createRuntime(ports.runtime);
    this.#sinceMs = this.#runtime.clock.nowMs();
    if (ports.onEvent !== undefined) this.#listeners.add(ports.onEvent);
    this.#opossum = this.#createOpossum(true);
    const clock = ports.clock ?? bucketClockFor(this.config, this.#runtime);
    this.#stopClock = clock.add(() => this.#turn());
  }

  get state(): CircuitState {
    return this.#state;
  }

  get admits(): boolean {
    return this.#state === 'closed' || (this.#state === 'half-open' && !this.#onTrial);
  }

  tryEnter(nowMs: number): boolean {
    if (this.#state === 'closed') return true;
    if (!this.admits) {
      this.rejectedCount++;
      return false;
    }
    this.#onTrial = true;
    // The caller may have read the clock a moment ago. Nothing else was admitted since.
    if (nowMs < this.#sinceMs) this.#sinceMs = nowMs;
    this.#timer = this.#runtime.scheduler.after(this.config.trialTimeoutMs, () =>
      this.#judge(Outcome.timeout),
    );
    return true;
  }

  leave(outcome: Outcome, enteredMs: number): void {
    if (enteredMs >= this.#sinceMs) this.#judge(outcome);
  }

  giveBack(): void {
    if (!this.#onTrial) return;
    this.#onTrial = false;
    this.#stopTimer();
  }

  retryAfterMs(nowMs: number): number | undefined {
    if (this.#state !== 'open') return undefined;
    return Math.max(0, this.#sinceMs + this.config.openMs - nowMs);
  }

  /**
   * Asks for a call. What is admitted must be finished exactly once.
   *
   * @returns undefined when the circuit refuses
   */
  enter(): Entry | undefined {
    if (!this.tryEnter(this.#sinceMs)) return undefined;
    const epoch = this.#epoch;
    let finished = false;
    return {
      finish: (outcome) => {
        if (finished) return;
        finished = true;
        if (epoch === this.#epoch) this.#judge(outcome);
      },
    };
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
    this.#openBecause('operator');
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
    this.#stopTimer();
    this.#stopClock();
    this.#opossum.shutdown();
    this.#listeners.clear();
  }

  #createOpossum(closed: boolean): Opossum<[PromiseLike<void>], void> {
    const { config } = this;
    const opossum = new Opossum((verdict: PromiseLike<void>) => verdict as Promise<void>, {
      name: this.name,
      timeout: false,
      errorThresholdPercentage: config.errorThresholdPercent,
      volumeThreshold: config.minRequests,
      rollingCountTimeout: config.windowMs,
      rollingCountBuckets: config.buckets,
      resetTimeout: config.openMs,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: this.#buckets,
      ...(closed ? {} : { state: HALF_OPEN }),
    });
    // Among them the one that would start opossum's own timer.
    opossum.removeAllListeners('open');
    opossum.on('open', () => this.#onOpen());
    opossum.on('close', () => this.#onClose());
    return opossum;
  }

  /** A call of the present state has ended. */
  #judge(outcome: Outcome): void {
    const trial = this.#onTrial;
    if (this.#state !== 'closed' && !trial) return;
    this.#onTrial = false;
    if (trial) this.#stopTimer();
    if (isFailure(outcome)) {
      this.#reason = trial ? 'trial-failed' : 'failures';
      this.#opossum.fire(FAILED).catch(ignore);
    } else if (outcome === Outcome.success) {
      void this.#opossum.fire(SUCCEEDED);
    } else if (trial) {
      // Nothing was learnt: the next trial comes when its time has come.
      this.#openBecause('trial-undecided');
    }
  }

  #openBecause(reason: CircuitReason): void {
    this.#reason = reason;
    this.#opossum.open();
  }

  #onOpen(): void {
    this.openedCount++;
    this.#onTrial = false;
    this.#stopTimer();
    this.#timer = this.#runtime.scheduler.after(this.config.openMs, () => this.#halfOpen());
    this.#change('open', this.#reason);
  }

  #onClose(): void {
    // The trial has done its duty: the window begins empty.
    for (let bucket = 0; bucket < this.config.buckets; bucket++) this.#turn();
    this.#change('closed', 'trial-succeeded');
  }

  #halfOpen(): void {
    this.#opossum.shutdown();
    this.#opossum = this.#createOpossum(false);
    this.#change('half-open', 'time');
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
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
    this.#sinceMs = this.#runtime.clock.nowMs();
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

/** The state that a new opossum begins with. */
const HALF_OPEN = {
  enabled: true,
  closed: false,
  open: false,
  halfOpen: true,
  warmUp: false,
  shutdown: false,
  lastTimerAt: Symbol('never'),
} as const;

/**
 * Verdicts that opossum hears at once: what it calls on the result of an action is `then(...)` and, on that, `catch`. They
 * are given to nobody else, so nobody can await them.
 */
const SUCCEEDED = {
  // oxlint-disable-next-line unicorn/no-thenable -- see above
  then(onFulfilled: () => void) {
    onFulfilled();
    return { catch: ignore };
  },
} as unknown as PromiseLike<void>;

const FAILED = {
  // oxlint-disable-next-line unicorn/no-thenable -- see above
  then: () => ({ catch: (onRejected: (error: Error) => void) => onRejected(FAILURE) }),
} as unknown as PromiseLike<void>;

/** The part of opossum's buckets that has to be kept from growing. */
interface OpossumBucket {
  readonly latencyTimes: number[];
}

/** A clock for breakers with this configuration. */
export function bucketClockFor(config: CircuitConfig, runtime: Runtime): BucketClock {
  return new BucketClock(runtime.scheduler, config.windowMs / config.buckets);
}
