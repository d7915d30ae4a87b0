import { uniformUnit } from '../../../algorithm/random-source.ts';
import { messageOf } from '../../../error/evenkeel-error.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import { discoveryError } from '../../discovery-error.ts';
import { Connection } from './connection.ts';
import { formatServer, type ServerAddress, type ZookeeperConnection } from './connection-config.ts';
import type { SessionKey } from './library.ts';
import { SessionExpired } from './zookeeper-error.ts';

export interface ConnectorOptions {
  readonly config: ZookeeperConnection;
  readonly readOnly: boolean;
  readonly runtime: Runtime;
}

/**
 * Opens connections to an ensemble. The servers are shuffled once, so that a fleet spreads over them, and taken in
 * turn: whatever was wrong with a connection, the next one goes to another server.
 */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #servers: readonly ServerAddress[];
  #next = 0;

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#servers = shuffled(options.config.servers, options.runtime);
  }

  /**
   * Tries each server once, from the one after the last that was tried.
   *
   * @throws SessionExpired when `resume` is over; EvenkeelError when no server gives a session
   */
  async connect(signal: AbortSignal, resume?: SessionKey): Promise<Connection> {
    const { config, readOnly, runtime } = this.#options;
    const problems: string[] = [];
    for (let tries = 0; tries < this.#servers.length; tries += 1) {
      const server = this.#servers[this.#next % this.#servers.length] as ServerAddress;
      this.#next += 1;
      try {
        return await Connection.open({ ...config, server, readOnly, resume, runtime }, signal);
      } catch (error) {
        if (error instanceof SessionExpired || signal.aborted) throw error;
        problems.push(`${formatServer(server)}: ${messageOf(error)}`);
      }
    }
    throw discoveryError(`no server gives a session: ${problems.join('; ')}`);
  }
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], { random }: Runtime): readonly T[] {
  const list = [...items];
  for (let last = list.length - 1; last > 0; last -= 1) {
    const other = Math.floor(uniformUnit(random) * (last + 1));
    [list[last], list[other]] = [list[other] as T, list[last] as T];
  }
  return list;
}
