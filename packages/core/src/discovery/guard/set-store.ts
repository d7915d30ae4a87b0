import type { EndpointSet } from '../../model/endpoint-set.ts';

/** A set from an earlier run. */
export interface RestoredSet {
  readonly set: EndpointSet;
  /** How long ago the registry last confirmed it. */
  readonly ageMs: number;
}

/** Where the last good set outlives the process. */
export interface SetStore {
  /** The set of an earlier run; undefined when there is none. @throws when there is one that must not be used */
  load(): Promise<RestoredSet | undefined>;
  /** Notes a set that the registry has just confirmed. Returns at once; writes later, and not too often. */
  save(set: EndpointSet): void;
  /** Why the last writing failed; undefined when it did not. */
  readonly problem: string | undefined;
  /** Writes what is yet unwritten. Idempotent. */
  close(): Promise<void>;
}
