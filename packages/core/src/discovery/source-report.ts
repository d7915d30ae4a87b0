import type { EndpointSet } from '../model/endpoint-set.ts';
import { discoveryError } from './discovery-error.ts';
import type { DiscoveryEnvironment, ResolverListener, ResolverStatus } from './resolver.ts';
import { SetPublisher } from './set-publisher.ts';

/** What a resolver says about its source, by {@link ResolverStatus} word. */
export interface SourceIdentity {
  readonly kind: string;
  readonly source: string;
}

/**
 * The outward half of a resolver with one source: it counts the looks, remembers how the last one ended and hands
 * the results over.
 *
 * Every look ends in exactly one of {@link succeed} and {@link fail}. A look may succeed with a complaint: most of the
 * answer was good, and the operator should hear of the rest. A complaint is reported when it appears or changes, not
 * on every look, since a wrong DNS record would otherwise shout once per TTL; a failure is reported every time,
 * because failing looks are spaced by a backoff.
 */
export class SourceReport {
  readonly #identity: SourceIdentity;
  readonly #environment: DiscoveryEnvironment;
  readonly #publisher: SetPublisher;
  #healthy = false;
  #lastSuccessMs: number | undefined;
  #lastError: string | undefined;
  #complaint: string | undefined;
  #refreshCount = 0;
  #errorCount = 0;
  #closed = false;

  constructor(identity: SourceIdentity, environment: DiscoveryEnvironment) {
    this.#identity = identity;
    this.#environment = environment;
    this.#publisher = new SetPublisher(environment);
  }

  open(listener: ResolverListener): void {
    this.#publisher.open(listener);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The last good set. */
  get last(): EndpointSet | undefined {
    return this.#publisher.last;
  }

  /** A look found `set`; `complaint` names what was wrong in an otherwise good answer. */
  succeed(set: EndpointSet, complaint?: string): void {
    if (this.#closed) return;
    this.#refreshCount += 1;
    this.#healthy = true;
    this.#lastSuccessMs = this.#environment.runtime.clock.nowMs();
    this.#lastError = complaint;
    this.#publisher.publish(set);
    if (complaint !== undefined && complaint !== this.#complaint) this.#report(complaint);
    this.#complaint = complaint;
  }

  /** A set of an earlier run is put in force, because the source cannot say anything yet. It is no look. */
  restore(set: EndpointSet): void {
    if (!this.#closed) this.#publisher.publish(set);
  }

  /** A look failed; the last good set stays in force. */
  fail(problem: string, cause?: unknown): void {
    if (this.#closed) return;
    this.#refreshCount += 1;
    this.#healthy = false;
    this.#lastError = problem;
    this.#complaint = undefined;
    this.#report(problem, cause);
  }

  status(): ResolverStatus {
    return {
      ...this.#identity,
      healthy: this.#healthy,
      lastSuccessMs: this.#lastSuccessMs,
      lastError: this.#lastError,
      refreshCount: this.#refreshCount,
      errorCount: this.#errorCount,
    };
  }

  close(): void {
    this.#closed = true;
    this.#publisher.close();
  }

  #report(problem: string, cause?: unknown): void {
    this.#errorCount += 1;
    const { kind, source } = this.#identity;
    this.#publisher.publishError(discoveryError(`${kind} ${source}: ${problem}`, cause));
  }
}
