import type { EndpointInput } from '../../model/endpoint.ts';
import { endpointSetOf } from '../../model/endpoint-set.ts';
import type { Discovery, DiscoveryEnvironment, Resolver, ResolverStatus } from '../resolver.ts';
import { SourceReport } from '../source-report.ts';

/** A source that does what a test says. One resolver at a time. */
export class FakeSource implements Discovery {
  readonly kind = 'fake';
  readonly #name: string;
  #report: SourceReport | undefined;
  #atStart: readonly EndpointInput[] | undefined;
  refreshCount = 0;
  closeCount = 0;

  constructor(name: string, options: { atStart?: readonly EndpointInput[] } = {}) {
    this.#name = name;
    this.#atStart = options.atStart;
  }

  create(environment: DiscoveryEnvironment): Resolver {
    const report = new SourceReport({ kind: this.kind, source: this.#name }, environment);
    this.#report = report;
    return {
      start: (listener) => {
        report.open(listener);
        if (this.#atStart !== undefined) this.deliver(this.#atStart);
      },
      refresh: () => void (this.refreshCount += 1),
      status: (): ResolverStatus => report.status(),
      close: () => {
        this.closeCount += 1;
        report.close();
        return Promise.resolve();
      },
    };
  }

  deliver(inputs: readonly EndpointInput[]): void {
    this.#report?.succeed(endpointSetOf(inputs));
  }

  fail(problem = 'broken'): void {
    this.#report?.fail(problem);
  }
}
