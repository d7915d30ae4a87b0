import type { EndpointSet } from '../../model/endpoint-set.ts';
import type {
  DiscoveryEnvironment,
  Resolver,
  ResolverListener,
  ResolverStatus,
} from '../resolver.ts';
import { SourceReport } from '../source-report.ts';

/** A list that never changes. Delivered within `start()`, so that the cluster is ready at once. */
export class StaticResolver implements Resolver {
  readonly #set: EndpointSet;
  readonly #report: SourceReport;

  constructor(set: EndpointSet, environment: DiscoveryEnvironment) {
    this.#set = set;
    const source = `${set.endpoints.length} endpoint${set.endpoints.length === 1 ? '' : 's'}`;
    this.#report = new SourceReport({ kind: 'static', source }, environment);
  }

  start(listener: ResolverListener): void {
    this.#report.open(listener);
    this.#report.succeed(this.#set);
  }

  refresh(): void {
    this.#report.succeed(this.#set);
  }

  status(): ResolverStatus {
    return this.#report.status();
  }

  close(): Promise<void> {
    this.#report.close();
    return Promise.resolve();
  }
}
