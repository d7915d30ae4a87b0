/** A listener of any kind, as the proxy drives it. */
import type { ListenAddress } from '../listener/listener.ts';
import type { TlsTerminator } from '../tls/terminator.ts';

export interface Port {
  /** Where it listens, or listened. */
  readonly address: ListenAddress;
  /** Undefined where nothing is decrypted. */
  readonly tls: TlsTerminator | undefined;
  /** Connections of clients, or sessions, at this moment. */
  readonly activeCount: number;
  /** Again after {@link close}, too. @throws what listening fails with */
  listen(host: string, port: number): Promise<void>;
  /** Accepts nobody from now on. */
  close(): void;
  /**
   * Tells those who are there to leave when they are done; they may stay as long as that takes.
   *
   * @param idleMs how long a connection without a request may still send one
   */
  drain(idleMs: number): void;
  /** Cuts off who is left. */
  destroy(): void;
  /** @returns once nobody and nothing is left */
  gone(): Promise<void>;
}
