/** The retries of one request: which are granted, when they are made, and whom they avoid. */
import { NO_SLOT, type Scheduler } from '@evenkeel/core';
import type {
  FinishedTry,
  RetryableRequest,
  RetryPolicy,
  RetrySequence,
} from '@evenkeel/core/resilience';

const NONE: readonly number[] = Object.freeze([]);

/** What a retry is made of. */
export interface RetrySteps {
  nowMs(): number;
  /** @returns an endpoint that has not failed the request, or `NO_SLOT` */
  pick(nowMs: number): number;
  tryOn(slot: number, nowMs: number): void;
  /** Goes back to endpoints that have failed, too. */
  tryAny(nowMs: number): void;
  giveUp(): void;
}

export class Retries {
  readonly #scheduler: Scheduler;
  /** Undefined until a try has failed. */
  #sequence: RetrySequence | undefined = undefined;
  /** Grows with every end, so that a pause that is over late knows whose it was. */
  #generation = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Slots that have failed the request. */
  get excluded(): readonly number[] {
    return this.#sequence?.excluded ?? NONE;
  }

  /** A try has failed. @param slot where @returns may there be another one? */
  // oxlint-disable-next-line max-params -- who, what, where and when
  grants(
    policy: RetryPolicy,
    request: RetryableRequest,
    finished: FinishedTry,
    slot: number,
    nowMs: number,
  ): boolean {
    this.#sequence ??= policy.begin(request);
    if (this.#sequence.consider(finished, nowMs) !== 'retry') return false;
    this.#sequence.exclude(slot);
    return true;
  }

  /** Nobody else is there: may an endpoint be asked that has failed? */
  mayReturn(nowMs: number): boolean {
    return this.#sequence?.reconsider(nowMs) === 'retry';
  }

  /**
   * Makes the retry that was granted: after its pause, on an endpoint that has not failed this request.
   *
   * @param next the endpoint, if it was looked for already
   */
  elsewhere(next: number, steps: RetrySteps): void {
    this.#pause(() => {
      const nowMs = steps.nowMs();
      const slot = next === NO_SLOT ? steps.pick(nowMs) : next;
      if (slot !== NO_SLOT) steps.tryOn(slot, nowMs);
      else if (this.mayReturn(nowMs)) this.#pause(() => steps.tryAny(steps.nowMs()));
      else steps.giveUp();
    });
  }

  /** Never in the stack of the connection that failed. */
  #pause(task: () => void): void {
    const generation = this.#generation;
    const checked = (): void => {
      if (generation === this.#generation) task();
    };
    const delayMs = this.#sequence?.delayMs ?? 0;
    if (delayMs > 0) this.#scheduler.after(delayMs, checked);
    else this.#scheduler.soon(checked);
  }

  /** The request is over, or in other hands: no pause comes to its end any more. */
  end(): void {
    this.#generation++;
    this.#sequence = undefined;
  }
}
