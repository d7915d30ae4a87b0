/**
 * The contract of discovery. A **resolver** watches one source and hands over whole endpoint sets; the cluster works
 * out what changed. Rules that every resolver keeps:
 *
 * - It reports errors and goes on trying with jittered backoff: it never dies silently, and never clears the set
 *   because its source is unreachable.
 * - It hands over a set only when its content differs from the last one it handed over.
 * - It validates and bounds what the source says before handing it over.
 * - `close()` leaves no timer, socket or watch behind.
 */
import type { EvenkeelError } from '../error/evenkeel-error.ts';
import type { EndpointSet } from '../model/endpoint-set.ts';
import type { Runtime } from '../runtime/runtime.ts';

/** A live watch on one source of endpoints. */
export interface Resolver {
  /** Begins to watch. Called once, before anything else. May call the listener synchronously. */
  start(listener: ResolverListener): void;
  /** Asks for a look at the source as soon as possible. */
  refresh(): void;
  /** What an operator wants to know. */
  status(): ResolverStatus;
  /** Stops watching; idempotent; after it the listener is not called again. */
  close(): Promise<void>;
}

/** Where a resolver reports. */
export interface ResolverListener {
  onEndpoints(set: EndpointSet): void;
  /** The source failed or lied; the last set stays in force. */
  onError(error: EvenkeelError): void;
}

export interface ResolverStatus {
  /** `static`, `file`, `dns` ... */
  readonly kind: string;
  /** The source for humans: a path, a name, an address. Never a secret. */
  readonly source: string;
  /** Did the last look succeed? */
  readonly healthy: boolean;
  /** Clock time of the last successful look; undefined before the first. */
  readonly lastSuccessMs: number | undefined;
  /** Message of the last failure, until the next success. */
  readonly lastError: string | undefined;
  /** Counts since the start. */
  readonly refreshCount: number;
  readonly errorCount: number;
  /** Of compositions: the parts. */
  readonly parts?: readonly ResolverStatus[];
  /** Of registries: what the watch and its guards have seen. */
  readonly watch?: WatchStatus;
}

/** How the watch on a registry fares. Counts since the start. */
export interface WatchStatus {
  /** Whole readings after the first one: after a failure, because of age, for a second look. */
  readonly resyncCount: number;
  /** Watches given up because the registry had said nothing for too long. */
  readonly silenceCount: number;
  /** How often the guard against mass removal began to hold endpoints. */
  readonly guardTripCount: number;
  /** Endpoints that are kept although no longer listed, until a second look confirms that they have left. */
  readonly heldCount: number;
  /** Is the set in force the last known good one from disk, not yet confirmed by the registry? */
  readonly restored: boolean;
}

/** What a user passes as `discovery`: builds a resolver for a cluster. */
export interface Discovery {
  readonly kind: string;
  create(environment: DiscoveryEnvironment): Resolver;
}

export interface DiscoveryEnvironment {
  /** The cluster's name, for logs. */
  readonly cluster: string;
  readonly runtime: Runtime;
}
