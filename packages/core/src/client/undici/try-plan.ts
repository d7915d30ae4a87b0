/**
 * What a request needs once "one try on any endpoint" will not do: an affinity key or cookie, a subset, endpoints to avoid, a count
 * of its retries. Most requests need none of it, and none is made for them.
 */
import type { Dispatcher } from 'undici';
import type { AffinityVisit } from '../../affinity/cookie-affinity.ts';
import { ANY, NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { AdmissionError } from '../../resilience/admission-error.ts';
import type { RetryableRequest, RetrySequence } from '../../resilience/retry-policy.ts';
import { hashKeyOf } from './affinity.ts';
import type { Attempt } from './attempt.ts';
import { finishedTry, isIdempotent } from './replay.ts';
import { isReplayable } from './request-body.ts';
import { requestHeader } from './request-headers.ts';
import type { DispatchableCluster } from './route-options.ts';
import type { RouteRules } from './route-rules.ts';

/** For requests that cannot be repeated: they must not be the trial of an endpoint that was ejected. */
export const NO_PROBE: PickContext = Object.freeze({ ...ANY, probe: false });

/**
 * Endpoints that may refuse a try before the request gives up. Each is a pick; more of them would be a search through a
 * cluster that has no room.
 */
const MAX_REFUSALS = 32;

export class TryPlan implements RetryableRequest {
  readonly idempotent: boolean;
  readonly replayable: boolean;
  readonly deadlineAtMs: number;
  /** What the last try failed with, if not with a response. */
  lastError: Error | undefined = undefined;
  /** Why the endpoints that were asked last did not let a try in. */
  refusal: AdmissionError | undefined = undefined;

  readonly #cluster: DispatchableCluster;
  readonly #rules: RouteRules;
  readonly #body: Dispatcher.DispatchOptions['body'];
  readonly #hashKey: string | undefined;
  readonly #subset: PickContext['subset'];
  readonly #visit: AffinityVisit | undefined;
  #sequence: RetrySequence | undefined = undefined;

  // oxlint-disable-next-line max-params -- made on the way to a retry, in one place
  constructor(
    cluster: DispatchableCluster,
    rules: RouteRules,
    request: Dispatcher.DispatchOptions,
    deadlineAtMs: number,
  ) {
    this.#cluster = cluster;
    this.#rules = rules;
    this.#body = request.body;
    this.idempotent = isIdempotent(request);
    this.replayable = isReplayable(request.body);
    this.deadlineAtMs = deadlineAtMs;
    const source = cluster.hashKeySource;
    this.#hashKey = source === undefined ? undefined : hashKeyOf(source, request);
    this.#subset = rules.subsetOf?.(request);
    this.#visit = rules.affinity?.read(requestHeader(request.headers, 'cookie', '; '));
  }

  /** Is a retry under way? */
  get retrying(): boolean {
    return (this.#sequence?.used ?? 0) > 0;
  }

  /** Pause before the retry that was granted last. */
  get delayMs(): number {
    return this.#sequence?.delayMs ?? 0;
  }

  /** A new one for each pick. */
  context(): PickContext {
    const excluded = this.#sequence?.excluded;
    return {
      hashKey: this.#hashKey,
      subset: this.#subset,
      exclude: excluded === undefined || excluded.length === 0 ? undefined : [...excluded],
      probe: this.idempotent && this.replayable,
    };
  }

  /** Avoids an endpoint from now on. */
  exclude(slot: number): void {
    this.#retries().exclude(slot);
  }

  /**
   * Picks an endpoint that lets a try in. @returns a slot that was entered, or `NO_SLOT`: then {@link refusal} says why,
   * or the cluster
   */
  take(nowMs: number): number {
    const { admission } = this.#cluster;
    let context = this.context();
    this.refusal = undefined;
    for (let refusals = 0; refusals <= MAX_REFUSALS; refusals++) {
      const slot = this.#pick(context, nowMs);
      if (slot === NO_SLOT || admission === undefined) return slot;
      if (admission.enter(slot, nowMs)) {
        this.refusal = undefined;
        return slot;
      }
      this.refusal = admission.refusal(slot);
      this.#rules.counters.admissionRefusedCount++;
      context = { ...context, exclude: [...(context.exclude ?? []), slot] };
    }
    return NO_SLOT;
  }

  /** Is there an endpoint to go to, as far as can be seen without going there? */
  hasElsewhere(nowMs: number): boolean {
    return this.#cluster.pick({ ...this.context(), probe: false }, nowMs) !== NO_SLOT;
  }

  /** Avoids the endpoint of a failed try and asks for another one. @returns whether there may be one, after {@link delayMs} */
  mayRetry(failed: Attempt, nowMs: number): boolean {
    this.exclude(failed.slot);
    return this.#retries().consider(finishedTry(failed, this.#body), nowMs) === 'retry';
  }

  /** Nobody else is left: may the retry go back to an endpoint that failed, after {@link delayMs}? */
  mayReturn(nowMs: number): boolean {
    return this.#sequence?.reconsider(nowMs) === 'retry';
  }

  /** Gives up a retry for a limit on their number. */
  decline(nowMs: number): void {
    this.#sequence?.decline(nowMs);
  }

  /** The cookie for the response of an endpoint, if one is due. */
  setCookie(slot: number): string | undefined {
    const visit = this.#visit;
    return visit === undefined ? undefined : this.#rules.affinity?.setCookie(visit, slot);
  }

  #pick(context: PickContext, nowMs: number): number {
    const { affinity } = this.#rules;
    return affinity === undefined || this.#visit === undefined
      ? this.#cluster.pick(context, nowMs)
      : affinity.pick(this.#visit, context);
  }

  #retries(): RetrySequence {
    this.#sequence ??= this.#rules.retry.begin(this);
    return this.#sequence;
  }
}
