import { createEndpoint, type EndpointInput } from '../../model/endpoint.ts';
import type { Scheduler } from '../../runtime/scheduler.ts';
import type { RestoredSet, SetStore } from '../guard/set-store.ts';
import type { EndpointSet } from '../../model/endpoint-set.ts';
import {
  type Look,
  type Reading,
  type RegistrySource,
  UNCHANGED,
} from '../registry/registry-source.ts';

/** A call that the registry has not answered yet. */
export interface PendingCall {
  readonly call: 'read' | 'watch';
  readonly position: number | undefined;
  readonly look: Look;
  readonly resolve: (answer: Reading<number> | typeof UNCHANGED) => void;
  readonly reject: (error: Error) => void;
}

/** A registry that does what a test says. Its position is a number that grows with every change. */
export class FakeRegistry implements RegistrySource<number> {
  readonly identity = { kind: 'fake', source: 'registry' };
  readonly subject = 'everything';
  /** Every call so far. */
  readonly calls: PendingCall[] = [];
  /** Answers at once; undefined: calls wait for the test. */
  automatic: (() => Reading<number>) | undefined;
  /** Fails at once. */
  broken = false;
  /** Gives watches a sign of life every 30 seconds. Default: tests do that. */
  scheduler: Scheduler | undefined;
  /** May be waited on? */
  watchable = true;
  closeCount = 0;
  #listed: readonly EndpointInput[] = [];
  #position = 0;

  /** Lists endpoints from now on, and answers the watches. */
  list(inputs: readonly EndpointInput[]): void {
    this.broken = false;
    this.#listed = inputs;
    this.#position += 1;
    this.automatic = () => this.reading();
    for (const { call, resolve } of this.calls) if (call === 'watch') resolve(this.reading());
  }

  fail(): void {
    this.broken = true;
    for (const { reject } of this.calls) reject(new Error('connection lost'));
  }

  reading(complaint?: string): Reading<number> {
    return {
      endpoints: this.#listed.map((input) => createEndpoint(input)),
      position: this.watchable ? this.#position : undefined,
      complaint,
    };
  }

  read(look: Look): Promise<Reading<number>> {
    const answer = this.#call('read', undefined, look) as Promise<Reading<number>>;
    if (!this.broken && this.automatic !== undefined) this.last?.resolve(this.automatic());
    return answer;
  }

  watch(position: number, look: Look): Promise<Reading<number> | typeof UNCHANGED> {
    const answer = this.#call('watch', position, look);
    const { last } = this;
    const timer = this.scheduler?.after(30_000, () => last?.resolve(UNCHANGED));
    look.signal.addEventListener('abort', () => timer?.cancel());
    if (!this.broken && this.automatic !== undefined && position < this.#position) {
      this.last?.resolve(this.automatic());
    }
    return answer;
  }

  close(): Promise<void> {
    this.closeCount += 1;
    return Promise.resolve();
  }

  get last(): PendingCall | undefined {
    return this.calls.at(-1);
  }

  /** `read`, `watch 1` ... in order. */
  get history(): string[] {
    return this.calls.map(({ call, position, look }) =>
      [call, position, look.careful ? 'careful' : undefined]
        .filter((part) => part !== undefined)
        .join(' '),
    );
  }

  #call(
    call: 'read' | 'watch',
    position: number | undefined,
    look: Look,
  ): Promise<Reading<number> | typeof UNCHANGED> {
    return new Promise((resolve, reject) => {
      this.calls.push({ call, position, look, resolve, reject });
      if (this.broken) reject(new Error('connection lost'));
    });
  }
}

/** A disk that does what a test says. */
export class FakeStore implements SetStore {
  readonly saved: EndpointSet[] = [];
  problem: string | undefined;
  #result: Promise<RestoredSet | undefined>;
  closeCount = 0;

  constructor(result?: RestoredSet | Error) {
    this.#result = result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
    // The resolver may never ask.
    this.#result.catch(() => undefined);
  }

  load(): Promise<RestoredSet | undefined> {
    return this.#result;
  }

  save(set: EndpointSet): void {
    this.saved.push(set);
  }

  close(): Promise<void> {
    this.closeCount += 1;
    return Promise.resolve();
  }
}
