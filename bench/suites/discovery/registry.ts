/** A registry as the suite sees it. */

/** One instance as the suite writes it. */
export interface Instance {
  /** `10.0.0.1` and so on; the port is always the same. */
  readonly host: string;
  readonly weight: number;
}

/** Service under which all instances stand. */
export const SERVICE = 'bench';
export const INSTANCE_PORT = 80;
/** Of the registries that are trees: what the instances stand below. */
export const PATH = '/services/bench';

/** A registry that runs. */
export interface RunningRegistry {
  /** Where clients connect to, on loopback. */
  readonly port: number;
  /** Writes many at once, as fast as the registry takes them. */
  fill(instances: readonly Instance[]): Promise<void>;
  /** Adds one, or changes it. Resolves when the registry has it. */
  put(instance: Instance): Promise<void>;
  remove(instance: Instance): Promise<void>;
  stop(): Promise<void>;
}

export interface BenchRegistry {
  /** First word of its figures. */
  readonly name: RegistryName;
  /** Undefined when the server is not installed on this machine. */
  readonly start: () => Promise<RunningRegistry | undefined>;
}

export type RegistryName = 'consul' | 'zookeeper' | 'etcd';

/** An instance as JSON, where the value is free. */
export function payloadOf({ host, weight }: Instance): string {
  return JSON.stringify({ host, port: INSTANCE_PORT, weight });
}
