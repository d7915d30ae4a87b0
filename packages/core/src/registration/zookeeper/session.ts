import { discoveryError } from '../../discovery/discovery-error.ts';
import type { Connection } from '../../discovery/zookeeper/client/connection.ts';
import type { Connector } from '../../discovery/zookeeper/client/connector.ts';
import type { SessionKey } from '../../discovery/zookeeper/client/library.ts';
import { SessionExpired } from '../../discovery/zookeeper/client/zookeeper-error.ts';

/**
 * A session that outlives its connections: ephemeral nodes last as long as it does. When a connection breaks, the next
 * one goes to another server and takes the session along; only when a server says that it has expired, a new one begins.
 */
export class Session {
  readonly #connector: Connector;
  #connection: Connection | undefined;
  #key: SessionKey | undefined;
  #closed = false;
  /** All that this process has had; a node of one of them is ours to remove. */
  readonly #ids = new Set<bigint>();

  constructor(connector: Connector) {
    this.#connector = connector;
  }

  /** Is there a session that may still be known to the ensemble? */
  get begun(): boolean {
    return this.#key !== undefined;
  }

  isOurs(id: bigint): boolean {
    return this.#ids.has(id);
  }

  /** @throws EvenkeelError while no server gives a session */
  async connection(signal: AbortSignal): Promise<Connection> {
    const known = this.#connection;
    if (known !== undefined && known.problem === undefined) return known;
    const connection = await this.#connect(signal);
    if (this.#closed) {
      connection.cut();
      throw discoveryError('closed');
    }
    this.#connection = connection;
    this.#key = connection.sessionKey;
    this.#ids.add(connection.sessionId);
    return connection;
  }

  /** Whoever got no answer in time does not trust the connection any more. */
  cut(): void {
    this.#connection?.cut();
  }

  /** Ends the session, if there is a connection to say so; without one the servers end it after its timeout. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#key = undefined;
    await this.#connection?.close();
  }

  async #connect(signal: AbortSignal): Promise<Connection> {
    try {
      return await this.#connector.connect(signal, this.#key);
    } catch (error) {
      if (!(error instanceof SessionExpired)) throw error;
      this.#key = undefined;
      return this.#connector.connect(signal);
    }
  }
}
