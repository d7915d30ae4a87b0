import type { Runtime } from '../runtime/runtime.ts';
import type { Timer } from '../runtime/scheduler.ts';
import type { Member } from './member.ts';
import type { Publication } from './publication.ts';
import type { PublicationBuilder } from './publication-builder.ts';
import type { WarmUp } from './warm-up.ts';

export interface PublisherOptions {
  readonly runtime: Runtime;
  readonly builder: Pick<PublicationBuilder, 'build'>;
  /** Whose weights grow with time; undefined: nobody's. */
  readonly warmUp: WarmUp | undefined;
  readonly members: () => Iterable<Member>;
  readonly onPublished: (publication: Publication, previous: Publication) => void;
}

/**
 * After a publication that took d ms the next one waits 10 d: a storm of health changes on a large cluster with an
 * expensive table costs at most about a tenth of the CPU.
 */
const REST_FACTOR = 10;

/** Says when the members and their health are turned into what pickers see. Changes in one turn make one publication. */
export class Publisher {
  readonly #options: PublisherOptions;
  #current: Publication;
  #pending = false;
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #warmUpTimer: Timer | undefined;
  #closed = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#current = options.builder.build([]);
  }

  get current(): Publication {
    return this.#current;
  }

  /** Publishes soon: with everything else that changes in this turn, and not too often. */
  request(): void {
    if (this.#pending || this.#closed) return;
    this.#pending = true;
    const { clock, scheduler } = this.#options.runtime;
    const restMs = this.#restUntilMs - clock.nowMs();
    const run = (): void => {
      if (this.#pending) this.publish();
    };
    if (restMs > 0) scheduler.after(restMs, run);
    else scheduler.soon(run);
  }

  /** Publishes at once. */
  publish(): void {
    if (this.#closed) return;
    this.#pending = false;
    const { clock } = this.#options.runtime;
    const startedAtMs = clock.nowMs();
    const previous = this.#current;
    this.#current = this.#options.builder.build(this.#options.members());
    const nowMs = clock.nowMs();
    this.#restUntilMs = nowMs + (nowMs - startedAtMs) * REST_FACTOR;
    this.#watchWarmUp();
    this.#options.onPublished(this.#current, previous);
  }

  close(): void {
    this.#closed = true;
    this.#pending = false;
    this.#warmUpTimer?.cancel();
  }

  /** While anyone warms up, weights are worked out anew now and then. */
  #watchWarmUp(): void {
    const { warmUp, members, runtime } = this.#options;
    if (warmUp === undefined || this.#warmUpTimer !== undefined) return;
    if (!warmUp.isAnyWarming(members())) return;
    this.#warmUpTimer = runtime.scheduler.after(warmUp.stepMs, () => {
      this.#warmUpTimer = undefined;
      this.request();
    });
  }
}
