/**
 * The contract of registration: how a process announces itself in a registry, whichever it is. `register()` keeps the
 * announcement alive; a **registrar** is the registry's side of it, three calls that are made one at a time.
 */
import type { Locality } from '../model/locality.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { RegistrationEventListener } from './events.ts';

/** A registry that a process can announce itself in: made by `consulRegistry()` and its like. */
export interface Registry {
  readonly kind: string;
  /** For humans. Never a secret. */
  readonly address: string;
  /** @throws ConfigError for what this registry cannot express: nothing is announced then */
  open(announcement: Announcement, runtime: Runtime): Registrar;
}

/** What is announced. */
export interface Announcement {
  /** Unique among the instances of the service. */
  readonly id: string;
  readonly service: string;
  /** Undefined: the registry knows where we are, because its agent runs on the same host, or the registrar finds out. */
  readonly address: string | undefined;
  readonly port: number;
  readonly weight: number;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly locality: Locality;
}

/** How an instance says it is. */
export type InstanceHealth = 'healthy' | 'degraded' | 'unhealthy';

export interface HealthReport {
  readonly health: InstanceHealth;
  /** Why, for humans. */
  readonly note: string;
}

/** One announcement in one registry. A call that rejects is tried again; all of them may be repeated without harm. */
export interface Registrar {
  /** Without a heartbeat for this long the registry takes the instance for dead. */
  readonly ttlMs: number;
  /** Creates the announcement, or replaces it. */
  announce(report: HealthReport, signal: AbortSignal): Promise<void>;
  /** Says that we are alive, and how. @returns `lost` when the registry does not know us (any more) */
  beat(report: HealthReport, signal: AbortSignal): Promise<'known' | 'lost'>;
  /** Takes the announcement away. Succeeds when there is none. */
  withdraw(signal: AbortSignal): Promise<void>;
  /** Closes connections and sessions. Idempotent. */
  close(): Promise<void>;
}

/** An announcement that is being kept alive. */
export interface Registration {
  /** Identity in the registry. */
  readonly id: string;
  readonly service: string;
  /** Resolves when the registry has the announcement; rejects when it was closed before, or the signal aborts. */
  ready(signal?: AbortSignal): Promise<void>;
  /**
   * Tells the registry at once how this instance is: `degraded` gets less traffic or none, `unhealthy` none. The
   * announcement stays; this is also how to leave for a while.
   */
  setHealth(health: InstanceHealth, note?: string): void;
  status(): RegistrationStatus;
  /** Every event until the returned function is called; none is sent per heartbeat that succeeds. */
  subscribe(listener: RegistrationEventListener): () => void;
  /**
   * Takes the announcement away and then waits `lingerMs`, so that clients have heard of it when it resolves: **close
   * this first, and the server after it**. Never rejects; a registry that is down forgets us by itself after the TTL.
   */
  close(): Promise<void>;
}

export interface RegistrationStatus {
  readonly kind: string;
  readonly state: 'announcing' | 'announced' | 'closed';
  readonly health: InstanceHealth;
  /** Clock time of the last call that succeeded; undefined before the first. */
  readonly lastSuccessMs: number | undefined;
  /** How long ago that was. */
  readonly sinceSuccessMs: number | undefined;
  /** Message of the last failure, until the next success. */
  readonly lastError: string | undefined;
  /** Counts since the start. */
  readonly beatCount: number;
  readonly errorCount: number;
  /** How often the registry had lost the announcement, and it was made again. */
  readonly lostCount: number;
}
