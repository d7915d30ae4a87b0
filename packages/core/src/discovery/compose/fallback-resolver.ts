import type { Runtime } from '../../runtime/runtime.ts';
import type { Timer } from '../../runtime/scheduler.ts';
import type {
  Discovery,
  DiscoveryEnvironment,
  Resolver,
  ResolverListener,
  ResolverStatus,
} from '../resolver.ts';
import { SetPublisher } from '../set-publisher.ts';
import { combineStatus, Part } from './part.ts';

/** A source that says nothing at all when it starts is waited for no longer than this, or `afterMs` if less. */
const START_GRACE_MS = 5_000;
/**
 * While a source is in trouble its status is read this often: recovery with an unchanged set causes no call that would
 * tell of it.
 */
const CHECK_INTERVAL_MS = 1_000;

/** A part with the time since which it has been failing. */
interface RankedPart {
  readonly part: Part;
  unhealthySinceMs: number | undefined;
}

/**
 * Takes the first source that is fit. All sources run from the start, so that a switch needs no waiting.
 *
 * | state of a source, in order of preference             | what happens                                        |
 * |-------------------------------------------------------|-----------------------------------------------------|
 * | has endpoints, healthy                                | used                                                |
 * | has endpoints, failing for less than `afterMs`        | used: its last good set                             |
 * | nothing yet, no error yet, within the start grace     | waited for: later sources are not taken meanwhile   |
 * | nothing, or an empty set                              | passed over                                         |
 * | has endpoints, failing for `afterMs` or longer        | passed over, unless no source is better             |
 *
 * The way back is the same table: as soon as an earlier source delivers endpoints again, it is used again. When no source
 * is fit, what is in force stays in force.
 */
export class FallbackResolver implements Resolver {
  readonly #runtime: Runtime;
  readonly #afterMs: number;
  readonly #publisher: SetPublisher;
  readonly #ranked: readonly RankedPart[];

  #startedAtMs = 0;
  #starting = true;
  #closed = false;
  #active: Part | undefined;
  #timer: Timer | undefined;

  constructor(
    sources: readonly Discovery[],
    options: { readonly afterMs: number },
    environment: DiscoveryEnvironment,
  ) {
    this.#runtime = environment.runtime;
    this.#afterMs = options.afterMs;
    this.#publisher = new SetPublisher(environment);
    this.#ranked = sources.map((source) => ({
      part: new Part(source, environment),
      unhealthySinceMs: undefined,
    }));
  }

  start(listener: ResolverListener): void {
    this.#publisher.open(listener);
    this.#startedAtMs = this.#runtime.clock.nowMs();
    for (const { part } of this.#ranked) {
      part.start(
        () => this.#choose(),
        (error) => this.#publisher.publishError(error),
      );
    }
    this.#starting = false;
    this.#choose();
  }

  refresh(): void {
    for (const { part } of this.#ranked) part.resolver.refresh();
  }

  status(): ResolverStatus {
    const parts = this.#ranked.map(({ part }) => part.resolver.status());
    const index = this.#ranked.findIndex(({ part }) => part === this.#active);
    const active = parts[index];
    const source =
      active === undefined
        ? `none of ${parts.length} in use`
        : `${index + 1} of ${parts.length} in use: ${active.kind} ${active.source}`;
    return combineStatus({ kind: 'fallback', source, healthy: active?.healthy ?? false }, parts);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#publisher.close();
    this.#timer?.cancel();
    await Promise.all(this.#ranked.map(({ part }) => part.resolver.close()));
  }

  #choose(): void {
    if (this.#starting || this.#closed) return;
    const nowMs = this.#runtime.clock.nowMs();
    for (const ranked of this.#ranked) trackHealth(ranked, nowMs);
    this.#active = this.#firstFit(nowMs) ?? this.#leastBad(nowMs);
    if (this.#active?.set !== undefined) this.#publisher.publish(this.#active.set);
    this.#scheduleCheck();
  }

  #firstFit(nowMs: number): Part | undefined {
    for (const { part, unhealthySinceMs } of this.#ranked) {
      if (part.set !== undefined && part.set.endpoints.length > 0) {
        if (unhealthySinceMs === undefined || nowMs - unhealthySinceMs < this.#afterMs) return part;
      } else if (this.#isAwaited(part, nowMs)) {
        return undefined;
      }
    }
    return undefined;
  }

  #isAwaited(part: Part, nowMs: number): boolean {
    const graceMs = Math.min(START_GRACE_MS, this.#afterMs);
    return part.set === undefined && !part.hasFailed && nowMs - this.#startedAtMs < graceMs;
  }

  /** When nothing is fit: endpoints that may be stale are better than none, and an empty set better than silence. */
  #leastBad(nowMs: number): Part | undefined {
    if ((this.#active?.set?.endpoints.length ?? 0) > 0) return this.#active;
    const parts = this.#ranked.map(({ part }) => part);
    if (parts.some((part) => this.#isAwaited(part, nowMs))) return this.#active;
    const withEndpoints = parts.find((part) => (part.set?.endpoints.length ?? 0) > 0);
    return withEndpoints ?? parts.find((part) => part.set !== undefined);
  }

  /** Time matters while something is awaited, in trouble, or not the first choice; otherwise no timer runs. */
  #scheduleCheck(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const settled = this.#ranked.every(
      ({ part, unhealthySinceMs }) => part.set !== undefined && unhealthySinceMs === undefined,
    );
    if (settled) return;
    this.#timer = this.#runtime.scheduler.after(CHECK_INTERVAL_MS, () => this.#choose());
  }
}

function trackHealth(ranked: RankedPart, nowMs: number): void {
  const failing = !ranked.part.resolver.status().healthy && ranked.part.hasFailed;
  ranked.unhealthySinceMs = failing ? (ranked.unhealthySinceMs ?? nowMs) : undefined;
}
