/**
 * The filters of one request, from its head to its end.
 *
 * ```text
 *   ask     first ─► second ─► third             an answer of the second one: the third hears nothing of the request
 *   respond first ◄─ second ◄─ third             those that were asked, in the opposite order
 *   end     once for each that was asked
 * ```
 */
import type { Logger } from '@evenkeel/core';
import type { BodyFilter, Filter, FilterAnswer } from '../../filter/filter.ts';
import { LocalAnswer, plainAnswer } from '../local-answer.ts';
import { linesOf } from './field-edits.ts';
import type { FilteredRequest } from './filtered-request.ts';
import { factsOfAnswer, FilteredResponse, type ResponseFacts } from './filtered-response.ts';

/** What filters make of a request. */
export type Verdict =
  | { readonly kind: 'pass' }
  | {
      readonly kind: 'answer';
      readonly answer: LocalAnswer;
      readonly reason: string;
      readonly delayMs: number;
    }
  | { readonly kind: 'failed' };

const PASS: Verdict = Object.freeze({ kind: 'pass' });
const FAILED: Verdict = Object.freeze({ kind: 'failed' });

/** What they make of a response. */
export interface Responding {
  /** The response to send: the one that came, or 500 in its place because a filter failed. */
  readonly facts: ResponseFacts;
  /** Undefined for the response that came. */
  readonly replacement: LocalAnswer | undefined;
  /** In the order in which the body meets them. */
  readonly bodies: readonly BodyFilter[];
}

const NO_BODIES: readonly BodyFilter[] = Object.freeze([]);
const MAX_DELAY_MS = 3_600_000;

export class FilterRun {
  readonly request: FilteredRequest;
  readonly #filters: readonly Filter[];
  readonly #logger: Logger;
  /** Those that were asked. */
  #askedCount = 0;
  /** Those among them that are as if they were not there, since a hook of theirs threw. */
  #skipped: Set<Filter> | undefined = undefined;
  #isOver = false;

  constructor(filters: readonly Filter[], request: FilteredRequest, logger: Logger) {
    this.#filters = filters;
    this.request = request;
    this.#logger = logger;
  }

  /** Does a filter look at the request after this turn? Then it has to stay. */
  get needsRequest(): boolean {
    for (const filter of this.#filters) {
      const isLate =
        filter.onResponse !== undefined ||
        filter.responseBody !== undefined ||
        filter.requestBody !== undefined ||
        filter.onEnd !== undefined;
      if (isLate) return true;
    }
    return false;
  }

  /**
   * Asks the filters that were not asked yet.
   *
   * @returns undefined while one of them takes its time; then `settled` is called, unless the request is over first
   */
  ask(settled: (verdict: Verdict) => void): Verdict | undefined {
    const filters = this.#filters;
    while (this.#askedCount < filters.length) {
      const filter = filters[this.#askedCount++] as Filter;
      if (filter.onRequest === undefined) continue;
      try {
        const result = filter.onRequest(this.request);
        if (result === undefined) continue;
        if (isPromise(result)) {
          this.#await(filter, result, settled);
          return undefined;
        }
        return verdictOf(filter, result);
      } catch (error) {
        if (this.#isFatal(filter, error)) return FAILED;
      }
    }
    return PASS;
  }

  /** The filters of the request's body, once all have let it pass. @returns undefined when one of them failed */
  requestBodies(): readonly BodyFilter[] | undefined {
    let bodies = NO_BODIES;
    for (const filter of this.#filters) {
      if (filter.requestBody === undefined || this.#skips(filter)) continue;
      try {
        const body = filter.requestBody(this.request);
        if (body !== undefined) bodies = [...bodies, body];
      } catch (error) {
        if (!this.#isFatal(filter, error)) continue;
        closeAll(bodies);
        return undefined;
      }
    }
    return bodies;
  }

  /** A final response is there. */
  respond(given: ResponseFacts, isHead: boolean): Responding {
    let facts = given;
    let replacement: LocalAnswer | undefined = undefined;
    let bodies = NO_BODIES;
    let response = new FilteredResponse(facts, this.request.responseHeaders);
    for (let at = this.#askedCount - 1; at >= 0; at--) {
      const filter = this.#filters[at] as Filter;
      if (this.#skips(filter)) continue;
      try {
        filter.onResponse?.(response, this.request);
        const body = facts.isBodiless ? undefined : filter.responseBody?.(response, this.request);
        if (body === undefined) continue;
        bodies = [...bodies, body];
        if (body.keepsLength !== true) response.bodyBytes = undefined;
      } catch (error) {
        if (!this.#isFatal(filter, error)) continue;
        closeAll(bodies);
        bodies = NO_BODIES;
        replacement = plainAnswer(500);
        facts = factsOfAnswer(replacement, isHead);
        response = new FilteredResponse(facts, this.request.responseHeaders);
      }
    }
    return { facts, replacement, bodies };
  }

  /** The request is over. Idempotent. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.request.abort();
    for (let at = 0; at < this.#askedCount; at++) {
      const filter = this.#filters[at] as Filter;
      try {
        filter.onEnd?.(this.request);
      } catch (error) {
        this.#log(filter, error);
      }
    }
  }

  #await(
    filter: Filter,
    result: Promise<FilterAnswer | undefined>,
    settled: (verdict: Verdict) => void,
  ): void {
    const goOn = (): void => {
      const verdict = this.ask(settled);
      if (verdict !== undefined) settled(verdict);
    };
    result.then(
      (answer) => {
        if (this.#isOver) return;
        const verdict = answer === undefined ? undefined : this.#verdictOf(filter, answer);
        if (verdict === undefined) goOn();
        else settled(verdict);
      },
      (error: unknown) => {
        if (this.#isOver) return;
        if (this.#isFatal(filter, error)) settled(FAILED);
        else goOn();
      },
    );
  }

  /** @returns undefined when there is something wrong with the answer, and the filter is skipped for it */
  #verdictOf(filter: Filter, answer: FilterAnswer): Verdict | undefined {
    try {
      return verdictOf(filter, answer);
    } catch (error) {
      return this.#isFatal(filter, error) ? FAILED : undefined;
    }
  }

  /** @returns must the request fail, because a hook threw? */
  #isFatal(filter: Filter, error: unknown): boolean {
    this.#log(filter, error);
    if (filter.onError !== 'open') return true;
    (this.#skipped ??= new Set()).add(filter);
    return false;
  }

  #skips(filter: Filter): boolean {
    return this.#skipped?.has(filter) === true;
  }

  #log(filter: Filter, error: unknown): void {
    this.#logger.error({ error, filter: filter.name }, 'a filter threw');
  }
}

/** @throws TypeError for an answer that cannot be sent */
function verdictOf({ name }: Filter, given: FilterAnswer): Verdict {
  const { status, headers = {}, body = '', reason = name, delayMs = 0 } = given;
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new TypeError(`not a final status: ${String(status)}`);
  if (!(delayMs >= 0 && delayMs <= MAX_DELAY_MS))
    throw new TypeError(`not a delay of up to an hour: ${String(delayMs)}`);
  const answer = new LocalAnswer(status, linesOf(headers), Buffer.from(body as string));
  return { kind: 'answer', answer, reason, delayMs };
}

function isPromise(
  result: FilterAnswer | Promise<FilterAnswer | undefined>,
): result is Promise<FilterAnswer | undefined> {
  return typeof (result as Partial<Promise<unknown>>).then === 'function';
}

function closeAll(bodies: readonly BodyFilter[]): void {
  for (const body of bodies) {
    try {
      body.close?.();
    } catch {
      // It is given up anyway.
    }
  }
}
