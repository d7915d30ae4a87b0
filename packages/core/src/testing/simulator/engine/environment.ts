/** What a policy or an option in the simulator may know beyond its ports. */
import type { Runtime } from '../../../runtime/runtime.ts';

/** A client of the simulation, for policies and options that are made for it. */
export interface ClientEnvironment {
  /** 0..clients-1. */
  readonly client: number;
  /** Where the client stands; '' when the servers have no zones. */
  readonly zone: string;
  readonly runtime: Runtime;
  /** What no real client can know, for oracles. */
  readonly world: World;
}

/** The true state of everything, at this moment. */
export interface World {
  readonly servers: readonly ServerState[];
  /** Undefined for an id that belongs to none of the servers. */
  serverOf(endpointId: string): ServerState | undefined;
}

export interface ServerState {
  readonly index: number;
  readonly id: string;
  readonly zone: string;
  readonly cores: number;
  readonly speed: number;
  /** Requests of all clients that the server has, or that are on the way to it. */
  readonly outstandingCount: number;
  readonly runningCount: number;
  /** Cores that antagonists leave. */
  readonly freeCores: number;
  /** `speed`, or less while a fault slows the server; 0 while it hangs. */
  readonly presentSpeed: number;
}
