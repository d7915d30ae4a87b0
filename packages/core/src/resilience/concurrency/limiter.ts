/**
 * Adaptive limit of requests in flight, for one endpoint or one cluster. Requests beyond it are refused at once, which
 * costs nothing, instead of queueing at a server that cannot take them, which costs everyone.
 *
 * ```ts
 * const limiter = new ConcurrencyLimiter({ algorithm: 'gradient2' }, runtime);
 * if (!limiter.tryAcquire()) throw new AdmissionError('concurrency-limit', { cluster: 'users' });
 * // send ...
 * limiter.release(Outcome.success, latencyMs, nowMs);
 * ```
 */
import { Outcome } from '../../model/outcome.ts';
import type { Random } from '../../runtime/random.ts';
import { decode } from '../../schema/decode.ts';
import { AimdLimit } from './aimd.ts';
import { type ConcurrencyConfig, type ConcurrencyOptions, concurrencySchema } from './config.ts';
import { Gradient2Limit } from './gradient2.ts';
import type { LimitAlgorithm } from './limit-algorithm.ts';
import { QueueProbe } from './queue-probe.ts';
import { SampleWindow } from './sample-window.ts';
import { VegasLimit } from './vegas.ts';

export interface LimiterPorts {
  readonly random: Random;
}

export class ConcurrencyLimiter {
  readonly config: ConcurrencyConfig;
  /** Refusals since the start. */
  rejectedCount = 0;

  readonly #algorithm: LimitAlgorithm;
  readonly #window: SampleWindow;
  readonly #probe: QueueProbe;
  #admitted: number;
  #inFlight = 0;

  /** @throws ConfigError naming every wrong option */
  constructor(options: ConcurrencyOptions, ports: LimiterPorts) {
    this.config = decode(concurrencySchema, options, 'concurrency');
    const { minWindowSamples, probeIntervalMs, algorithm } = this.config;
    this.#algorithm = createAlgorithm(this.config, ports.random);
    this.#window = new SampleWindow(this.config);
    const intervalMs = algorithm === 'aimd' ? 0 : probeIntervalMs;
    this.#probe = new QueueProbe(intervalMs, PROBE_WINDOWS * minWindowSamples, ports.random);
    this.#admitted = Math.floor(this.#algorithm.limit);
  }

  /** Requests that may be in flight at once, as the algorithm sees it. A whole number. */
  get limit(): number {
    return Math.floor(this.#algorithm.limit);
  }

  /** Requests in flight. Above {@link limit} only after the limit has fallen. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** How many more requests would be admitted now. */
  get remaining(): number {
    return Math.max(0, this.#admitted - this.#inFlight);
  }

  /** Is the limit held down for a moment, to measure without a queue? */
  get probing(): boolean {
    return this.#probe.cap !== Number.POSITIVE_INFINITY;
  }

  /** Admits a request, to be released exactly once, or refuses it. */
  tryAcquire(): boolean {
    if (this.#inFlight >= this.#admitted) {
      this.rejectedCount++;
      return false;
    }
    this.#inFlight++;
    return true;
  }

  /** What was admitted just now is not sent after all. */
  giveBack(): void {
    if (this.#inFlight > 0) this.#inFlight--;
  }

  /**
   * A request has ended.
   *
   * Success is a measurement. "Overloaded" and timeouts are drops. All else is left out: an endpoint that fails in a
   * millisecond is not fast, and a request that its caller gave up says nothing.
   *
   * @param rttMs from sending to the end of the work at the other side; time to the first byte is best
   */
  release(outcome: Outcome, rttMs: number, nowMs: number): void {
    const inFlight = this.#inFlight;
    if (inFlight > 0) this.#inFlight--;
    if (outcome === Outcome.success && rttMs > 0) this.#onAnswer(rttMs, inFlight, nowMs);
    else if (outcome === Outcome.overloaded || outcome === Outcome.timeout)
      this.#window.addDrop(inFlight);
    else return;
    if (this.#window.isComplete(nowMs)) this.#close(nowMs);
  }

  #onAnswer(rttMs: number, inFlight: number, nowMs: number): void {
    this.#window.add(rttMs, inFlight);
    if (!this.probing) return;
    const meanMs = this.#probe.onAnswer(rttMs, inFlight, nowMs);
    if (meanMs > 0) this.#algorithm.rebase(meanMs);
    if (!this.probing) {
      this.#window.restart(nowMs);
      this.#admit();
    }
  }

  /** A window is full: one step of the algorithm. */
  #close(nowMs: number): void {
    const { meanRttMs, maxInFlight, dropped, count } = this.#window;
    const full = maxInFlight >= this.#admitted;
    // Half of the limit, for a probe, says nothing about the whole.
    if (dropped || (count > 0 && !this.probing)) {
      this.#algorithm.sample(meanRttMs, maxInFlight, dropped);
    }
    if (full && count > 0) this.#probe.onFullWindow(this.#algorithm.limit, meanRttMs, nowMs);
    this.#window.restart(nowMs);
    this.#admit();
  }

  #admit(): void {
    this.#admitted = Math.min(this.limit, this.#probe.cap);
  }
}

/** A measurement of the time without a queue holds for the whole interval, so it takes more requests than a sample. */
const PROBE_WINDOWS = 5;

function createAlgorithm(config: ConcurrencyConfig, random: Random): LimitAlgorithm {
  const { algorithm, initialLimit, minLimit, maxLimit, probeIntervalMs } = config;
  const bounds = { initialLimit, minLimit, maxLimit };
  switch (algorithm) {
    case 'gradient2':
      return new Gradient2Limit({ ...bounds, ...config.gradient2 });
    case 'vegas': {
      // One of the two ways to measure anew is enough; the limiter's drains the queue first.
      const probeMultiplier = probeIntervalMs > 0 ? 0 : config.vegas.probeMultiplier;
      return new VegasLimit({ ...bounds, ...config.vegas, probeMultiplier }, random);
    }
    case 'aimd':
      return new AimdLimit({ ...bounds, ...config.aimd });
  }
}
