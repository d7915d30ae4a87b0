import { EvenkeelError, messageOf } from '../error/evenkeel-error.ts';
import { type EndpointSet, endpointSetsEqual } from '../model/endpoint-set.ts';
import type { DiscoveryEnvironment, ResolverListener } from './resolver.ts';

/**
 * The only way from a resolver to its listener. It keeps three rules of the contract in one place: a set goes out
 * only when its content differs from the last one, nothing goes out after `close()`, and a listener that throws
 * does not disturb the resolver.
 */
export class SetPublisher {
  readonly #environment: DiscoveryEnvironment;
  #listener: ResolverListener | undefined;
  #last: EndpointSet | undefined;

  constructor(environment: DiscoveryEnvironment) {
    this.#environment = environment;
  }

  /** @throws EvenkeelError `EVENKEEL_CONFIG` when called twice: a resolver serves one cluster */
  open(listener: ResolverListener): void {
    if (this.#listener !== undefined) {
      throw new EvenkeelError('EVENKEEL_CONFIG', 'a resolver can be started only once');
    }
    this.#listener = listener;
  }

  /** The set handed over last: the last good one. */
  get last(): EndpointSet | undefined {
    return this.#last;
  }

  /** Hands a set over unless the listener has it already. */
  publish(set: EndpointSet): void {
    if (this.#last !== undefined && endpointSetsEqual(this.#last, set)) return;
    this.#last = set;
    this.#guarded((listener) => listener.onEndpoints(set));
  }

  publishError(error: EvenkeelError): void {
    this.#guarded((listener) => listener.onError(error));
  }

  close(): void {
    this.#listener = SILENT;
  }

  #guarded(call: (listener: ResolverListener) => void): void {
    if (this.#listener === undefined) return;
    try {
      call(this.#listener);
    } catch (thrown) {
      const { cluster, runtime } = this.#environment;
      runtime.logger.error({ cluster, error: messageOf(thrown) }, 'a discovery listener threw');
    }
  }
}

const SILENT: ResolverListener = { onEndpoints: () => undefined, onError: () => undefined };
