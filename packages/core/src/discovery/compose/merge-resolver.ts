import { createEndpointSet, MAX_ENDPOINTS } from '../../model/endpoint-set.ts';
import { discoveryError } from '../discovery-error.ts';
import type {
  Discovery,
  DiscoveryEnvironment,
  Resolver,
  ResolverListener,
  ResolverStatus,
} from '../resolver.ts';
import { SetPublisher } from '../set-publisher.ts';
import { combineStatus, Part } from './part.ts';

/**
 * The union of several sources. Each contributes its last good set, so one that fails takes nothing away from the others,
 * nor its own endpoints. Of endpoints with the same id the one of the earlier source counts. There is a union as soon
 * as one source has delivered.
 */
export class MergeResolver implements Resolver {
  readonly #publisher: SetPublisher;
  readonly #parts: readonly Part[];
  #starting = true;

  constructor(sources: readonly Discovery[], environment: DiscoveryEnvironment) {
    this.#publisher = new SetPublisher(environment);
    this.#parts = sources.map((source) => new Part(source, environment));
  }

  start(listener: ResolverListener): void {
    this.#publisher.open(listener);
    for (const part of this.#parts) {
      part.start(
        () => this.#publish(),
        (error) => this.#publisher.publishError(error),
      );
    }
    // What several parts deliver within start() goes out as one set.
    this.#starting = false;
    this.#publish();
  }

  refresh(): void {
    for (const part of this.#parts) part.resolver.refresh();
  }

  status(): ResolverStatus {
    const parts = this.#parts.map((part) => part.resolver.status());
    const identity = {
      kind: 'merge',
      source: parts.map(({ kind, source }) => `${kind} ${source}`).join(' + '),
      // One live source keeps the union alive; the statuses of the parts tell which are not.
      healthy: parts.some((part) => part.healthy),
    };
    return combineStatus(identity, parts);
  }

  async close(): Promise<void> {
    this.#publisher.close();
    await Promise.all(this.#parts.map((part) => part.resolver.close()));
  }

  #publish(): void {
    if (this.#starting) return;
    const sets = this.#parts.map((part) => part.set).filter((set) => set !== undefined);
    if (sets.length === 0) return;
    const union = createEndpointSet(sets.flatMap((set) => set.endpoints));
    if (union.endpoints.length > MAX_ENDPOINTS) {
      const count = union.endpoints.length;
      const problem = `merge: ${count} endpoints together, at most ${MAX_ENDPOINTS} are allowed`;
      this.#publisher.publishError(discoveryError(problem));
      return;
    }
    this.#publisher.publish(union);
  }
}
