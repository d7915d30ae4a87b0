import type { EvenkeelError } from '../../error/evenkeel-error.ts';
import type { EndpointSet } from '../../model/endpoint-set.ts';
import type { ManualRuntime } from '../../testing/manual-runtime.ts';
import type { ResolverListener } from '../resolver.ts';

/** A listener that keeps what it hears. */
export class Recorder implements ResolverListener {
  readonly sets: EndpointSet[] = [];
  readonly errors: EvenkeelError[] = [];

  onEndpoints(set: EndpointSet): void {
    this.sets.push(set);
  }

  onError(error: EvenkeelError): void {
    this.errors.push(error);
  }

  /** Ids of the set heard last, sorted; undefined before the first. */
  get ids(): string[] | undefined {
    return this.sets
      .at(-1)
      ?.endpoints.map(({ id }) => id)
      .sort();
  }

  get lastError(): string | undefined {
    return this.errors.at(-1)?.message;
  }
}

/** Longest wait for something real (a watch event, a datagram) before a test fails. */
const LIMIT_MS = 15_000;

/** Waits in real time for a condition; with a manual runtime, its clock moves 50 ms per look. */
export async function until(
  condition: () => boolean,
  options: { runtime?: ManualRuntime; what?: string } = {},
): Promise<void> {
  const endMs = performance.now() + LIMIT_MS;
  while (!condition()) {
    if (performance.now() > endMs) {
      throw new Error(
        `did not happen within ${LIMIT_MS} ms: ${options.what ?? condition.toString()}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
    await options.runtime?.scheduler.advanceAsync(50);
  }
}
