/**
 * The tries of one request that run at the same time. The first has `delayMs` for itself; then another endpoint is asked,
 * too, and the first good answer wins. Made only for requests that may be hedged: any other has one try at a time.
 */
import type { HedgeableRequest, HedgePolicy } from '../../resilience/hedge-policy.ts';
import { NO_HEDGE } from '../../resilience/hedge-policy.ts';
import { HedgeRace, LOSER_OUTCOME } from '../../resilience/hedge-race.ts';
import type { Scheduler, Timer } from '../../runtime/scheduler.ts';
import type { Attempt } from './attempt.ts';

/** Why a loser's connection is closed; never seen by anyone. */
const LOST = new Error('evenkeel: another endpoint was faster');

/** What a race tells the exchange that it belongs to. */
export interface Hedger {
  /** It is time for another endpoint. */
  onHedgeDue(): void;
}

export class Hedging {
  readonly #policy: HedgePolicy;
  readonly #request: HedgeableRequest;
  readonly #scheduler: Scheduler;
  readonly #hedger: Hedger;
  #race = new HedgeRace();
  #running: Attempt[] = [];
  /** The first try of the request: the one whose latency is learnt from. */
  #first: Attempt | undefined = undefined;
  #timer: Timer | undefined = undefined;
  #used = 0;

  // oxlint-disable-next-line max-params -- rules, request and the two ends that it works between
  constructor(
    policy: HedgePolicy,
    request: HedgeableRequest,
    scheduler: Scheduler,
    hedger: Hedger,
  ) {
    this.#policy = policy;
    this.#request = request;
    this.#scheduler = scheduler;
    this.#hedger = hedger;
  }

  /** Tries that have neither answered nor failed. */
  get running(): readonly Attempt[] {
    return this.#running;
  }

  /** The one try of a round begins: the first of the request, or a retry after all others have failed. */
  begin(attempt: Attempt, nowMs: number): void {
    this.#first ??= attempt;
    this.#race = new HedgeRace();
    this.#race.begin();
    this.#running = [attempt];
    this.#arm(nowMs);
  }

  /** May another endpoint be asked now? If so, {@link join} or {@link giveBack} follows. */
  mayHedge(nowMs: number): boolean {
    return this.#policy.tryHedge(this.#request, this.#used, nowMs) === 'hedge';
  }

  giveBack(nowMs: number): void {
    this.#policy.giveBack(nowMs);
  }

  /** A hedge begins. */
  join(attempt: Attempt, nowMs: number): void {
    this.#used++;
    attempt.hedge = true;
    this.#race.begin();
    this.#running.push(attempt);
    this.#arm(nowMs);
  }

  /** A try has failed, or answered badly. @returns whether others go on; a hedge may start at once then */
  goesOnWithout(attempt: Attempt): boolean {
    this.#drop(attempt);
    this.#timer?.cancel();
    if (this.#race.settle(false) !== 'wait') return false;
    // Not within undici's parser.
    this.#timer = this.#scheduler.after(0, () => this.#hedger.onHedgeDue());
    return true;
  }

  /** A try has answered well: the others are given up. @returns whether a hedge was faster than the first try */
  win(attempt: Attempt, nowMs: number): boolean {
    this.#race.settle(true);
    this.#drop(attempt);
    this.#timer?.cancel();
    if (attempt === this.#first) this.#policy.observe(attempt.latencyMs);
    for (const loser of this.#running) {
      // It was at least as slow as this; without it the percentile would sink.
      if (loser === this.#first) this.#policy.observe(nowMs - loser.startedAtMs);
      loser.abandon(LOSER_OUTCOME, LOST);
    }
    this.#running = [];
    return attempt.hedge;
  }

  /** The request has ended. */
  stop(): void {
    this.#timer?.cancel();
    this.#running = [];
  }

  #drop(attempt: Attempt): void {
    this.#running = this.#running.filter((each) => each !== attempt);
  }

  #arm(nowMs: number): void {
    this.#timer?.cancel();
    if (this.#used >= this.#policy.config.maxHedges) return;
    const delayMs = this.#policy.delayMs(nowMs);
    if (delayMs === NO_HEDGE) return;
    this.#timer = this.#scheduler.after(delayMs, () => this.#hedger.onHedgeDue());
  }
}
