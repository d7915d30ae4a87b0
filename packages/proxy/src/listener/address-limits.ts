/**
 * What one client may have of a listener: so many connections at a time, and so many new ones per second. An IPv6 client
 * counts by its /64, because that is what one customer is given. Known by the peer's address, before anything is read.
 */
import { TokenBucket } from '@evenkeel/core/algorithm';

export interface AddressLimitOptions {
  /** Connections at a time. Undefined for any number. */
  readonly maxConnections: number | undefined;
  /** New connections per second, in the long run. Undefined for any number. */
  readonly connectionsPerSecond: number | undefined;
  /** New connections at once. */
  readonly burst: number;
}

/** Clients whose rate is remembered; of those without a connection the oldest are forgotten first. */
const MAX_REMEMBERED = 65_536;

interface Client {
  openCount: number;
  readonly bucket: TokenBucket | undefined;
}

export class AddressLimits {
  #options: AddressLimitOptions;
  readonly #clients = new Map<string, Client>();
  /** Those without a connection, in the order in which they left. */
  readonly #idle = new Set<string>();

  constructor(options: AddressLimitOptions) {
    this.#options = options;
  }

  /** Clients that are remembered. */
  get size(): number {
    return this.#clients.size;
  }

  /** For connections from now on; the rates of clients that are known stay until they are forgotten. */
  configure(options: AddressLimitOptions): void {
    this.#options = options;
  }

  /** May the client have another connection? If so, {@link leave} follows with the same key. */
  enter(key: string, nowMs: number): boolean {
    const { maxConnections = Number.POSITIVE_INFINITY } = this.#options;
    const client = this.#clients.get(key) ?? this.#add(key, nowMs);
    if (client.openCount >= maxConnections) return false;
    if (client.bucket?.tryTake(nowMs) === false) return false;
    client.openCount++;
    this.#idle.delete(key);
    return true;
  }

  leave(key: string): void {
    const client = this.#clients.get(key);
    if (client === undefined || --client.openCount > 0) return;
    if (client.bucket === undefined) this.#clients.delete(key);
    else this.#rest(key);
  }

  #add(key: string, nowMs: number): Client {
    const { connectionsPerSecond, burst } = this.#options;
    const bucket =
      connectionsPerSecond === undefined
        ? undefined
        : new TokenBucket({ capacity: burst, refillPerSecond: connectionsPerSecond, nowMs });
    const client = { openCount: 0, bucket };
    this.#clients.set(key, client);
    this.#rest(key);
    return client;
  }

  #rest(key: string): void {
    this.#idle.add(key);
    if (this.#idle.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#idle) {
      this.#idle.delete(oldest);
      this.#clients.delete(oldest);
      return;
    }
  }
}
