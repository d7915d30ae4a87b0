import { connect as connectSocket, type Socket } from 'node:net';
import { EvenkeelError, messageOf } from '../../../error/evenkeel-error.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import { discoveryError } from '../../discovery-error.ts';
import type { ServerAddress } from './connection-config.ts';
import { FrameReader } from './frame-reader.ts';
import { encodeHandshake, inspectHandshake } from './handshake.ts';
import {
  createLibraryClient,
  type Done,
  isKnownCode,
  LIBRARY_STATE,
  type LibraryClient,
  type LibraryError,
  type LibraryEvent,
  type LibraryStat,
  type SessionKey,
} from './library.ts';
import { PendingCalls } from './pending-calls.ts';
import { SilenceWatch } from './silence-watch.ts';
import { SessionExpired, ZookeeperRefusal } from './zookeeper-error.ts';

export interface ConnectionOptions {
  readonly server: ServerAddress;
  readonly sessionTimeoutMs: number;
  /** Longest time until the session stands. */
  readonly connectTimeoutMs: number;
  /** Longest time for an answer. */
  readonly timeoutMs: number;
  readonly digest: string | undefined;
  /** May the server be one that has lost its ensemble, and serves reads only? */
  readonly readOnly: boolean;
  /** The session to go on with; undefined: a new one. */
  readonly resume: SessionKey | undefined;
  readonly runtime: Runtime;
}

/** Who wants to know what happens to a connection. */
export interface ConnectionListener {
  /** The server has given a sign of life. */
  onAlive(): void;
  onClosed(error: Error): void;
}

export interface Node {
  readonly data: Buffer;
  /** Transaction that created it: grows. */
  readonly createdAt: bigint;
  /** Session that it ends with; 0n for one that stays. */
  readonly owner: bigint;
}

/** Reply header: xid, zxid, error code. */
const HEADER_BYTES = 16;
const ERROR_OFFSET = 16;
/** A graceful end waits for the server so long; without it the session lasts until its timeout. */
const GOODBYE_MS = 1_000;
/** Signs of life per session timeout: two of three may be lost. */
const PINGS_PER_SESSION = 3;
const ignore = (): void => undefined;

/**
 * One TCP connection to one server and the session on it. It is never repaired: once anything is wrong, everything that
 * is under way fails, the socket is cut, and whoever owns it opens another one.
 *
 * | what happens                                     | noticed after                                         |
 * |--------------------------------------------------|-------------------------------------------------------|
 * | no TCP connection, no session                    | `connectTimeoutMs`                                    |
 * | a call without an answer                         | `timeoutMs`; answers come in order, so all later ones |
 * |                                                  | are late, too                                         |
 * | half-open, and nothing to ask                    | 5/6 of the session timeout: a question after a third  |
 * |                                                  | without a byte, and a half for its answer             |
 * | a frame that is none, an unknown error code      | with that frame                                       |
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #runtime: Runtime;
  readonly #client: LibraryClient;
  readonly #socket: Socket;
  readonly #frames = new FrameReader();
  readonly #pending: PendingCalls;

  #listener: ConnectionListener = { onAlive: ignore, onClosed: ignore };
  #problem: Error | undefined;
  #settleOpening: ((error: Error | undefined) => void) | undefined;
  #readOnly = false;
  #lastReceivedMs: number;
  #silence: SilenceWatch | undefined;
  #busyMs = 0;
  #corked = false;

  private constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#runtime = options.runtime;
    this.#lastReceivedMs = this.#nowMs();
    this.#pending = new PendingCalls({
      ...options.runtime,
      timeoutMs: options.timeoutMs,
      onLate: () => this.#fail(discoveryError(`no answer within ${options.timeoutMs} ms`)),
    });
    this.#client = createLibraryClient(options.sessionTimeoutMs, options.resume);
    const { host, port } = options.server;
    const socket = connectSocket({ host, port, noDelay: true });
    // A library must not hold a finished program open.
    socket.unref();
    this.#socket = socket;
    const manager = this.#client.connectionManager;
    manager.socket = socket;
    manager.state = LIBRARY_STATE.connecting;
    // Its pings are sent without a look at the answers.
    manager.onSocketTimeout = ignore;
    socket.on('connect', () => void socket.write(encodeHandshake(options)));
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('drain', () => manager.onSocketDrain());
    socket.on('error', (error) => this.#fail(discoveryError(messageOf(error), error)));
    socket.on('close', () => this.#fail(discoveryError('the server closed the connection')));
  }

  /** @throws SessionExpired, EvenkeelError */
  static async open(options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
    signal.throwIfAborted();
    const connection = new Connection(options);
    const { connectTimeoutMs, digest, runtime } = options;
    const onAbort = (): void => connection.#fail(discoveryError('aborted'));
    const timer = runtime.scheduler.after(connectTimeoutMs, () =>
      connection.#fail(discoveryError(`no session within ${connectTimeoutMs} ms`)),
    );
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        connection.#settleOpening = (error) => (error === undefined ? resolve() : reject(error));
      });
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
    }
    if (digest !== undefined) connection.#client.addAuthInfo('digest', Buffer.from(digest));
    connection.#watchOverSilence();
    return connection;
  }

  /** One at a time. */
  set listener(listener: ConnectionListener) {
    this.#listener = listener;
  }

  /** Why it is of no use any more; undefined while it is. */
  get problem(): Error | undefined {
    return this.#problem;
  }

  /** Has the server lost its ensemble? What it says may be old. */
  get readOnly(): boolean {
    return this.#readOnly;
  }

  get sessionId(): bigint {
    return this.#client.getSessionId().readBigUInt64BE();
  }

  get sessionKey(): SessionKey {
    return { id: this.#client.getSessionId(), password: this.#client.getSessionPassword() };
  }

  /** As the server has it: it has bounds of its own. */
  get sessionTimeoutMs(): number {
    return this.#client.getSessionTimeout();
  }

  /** Our end, as the server sees it. */
  get localAddress(): string | undefined {
    return this.#socket.localAddress;
  }

  /** Time since the last byte. */
  get quietMs(): number {
    return this.#nowMs() - this.#lastReceivedMs;
  }

  /** How long the thread was busy with what came in, since this was asked last. */
  takeBusyMs(): number {
    const busyMs = this.#busyMs;
    this.#busyMs = 0;
    return busyMs;
  }

  /** @param onEvent called once for a change; the same function may watch any number of paths */
  children(path: string, onEvent?: (event: LibraryEvent) => void): Promise<readonly string[]> {
    return this.#call<string[] | undefined>(path, (done) =>
      onEvent === undefined
        ? this.#client.getChildren(path, done as (error: unknown, names?: string[]) => void)
        : this.#client.getChildren(
            path,
            onEvent,
            done as (error: unknown, names?: string[]) => void,
          ),
    ).then((names) => names ?? []);
  }

  data(path: string, onEvent?: (event: LibraryEvent) => void): Promise<Node> {
    return this.#call<Node>(path, (done) =>
      this.#client.getData(path, onEvent, (error, data, stat) =>
        error ? done(error, undefined as never) : done(null, nodeOf(data, stat)),
      ),
    );
  }

  /** @returns undefined when there is none */
  async exists(
    path: string,
    onEvent?: (event: LibraryEvent) => void,
  ): Promise<Omit<Node, 'data'> | undefined> {
    const stat = await this.#call<LibraryStat | null>(path, (done) =>
      this.#client.exists(path, onEvent, done),
    );
    return stat === null ? undefined : nodeOf(undefined, stat);
  }

  /** @returns the path, which has a number at its end for a sequential node */
  create(path: string, options: { data: Buffer; acl: unknown[]; mode: number }): Promise<string> {
    const { data, acl, mode } = options;
    return this.#call<string>(path, (done) => this.#client.create(path, data, acl, mode, done));
  }

  async setData(path: string, data: Buffer): Promise<void> {
    await this.#call<LibraryStat>(path, (done) => this.#client.setData(path, data, -1, done));
  }

  async remove(path: string): Promise<void> {
    await this.#call<undefined>(path, (done) => this.#client.remove(path, -1, done));
  }

  /** Cuts it; the session lasts until its timeout. Idempotent. */
  cut(): void {
    this.#fail(discoveryError('closed'));
  }

  /** Ends the session and with it its ephemeral nodes, and waits for the server to agree. Idempotent. */
  async close(): Promise<void> {
    if (this.#problem !== undefined) return;
    const { scheduler } = this.#runtime;
    await new Promise<void>((resolve) => {
      const timer = scheduler.after(GOODBYE_MS, resolve);
      this.#listener = {
        onAlive: ignore,
        onClosed: () => {
          timer.cancel();
          resolve();
        },
      };
      this.#client.connectionManager.close();
    });
    this.cut();
  }

  #nowMs(): number {
    return this.#runtime.clock.nowMs();
  }

  #call<T>(path: string, start: (done: Done<T>) => void): Promise<T> {
    if (this.#problem !== undefined) return Promise.reject(this.#problem);
    return new Promise<T>((resolve, reject) => {
      const call = this.#pending.add(reject);
      this.#cork();
      const done: Done<T> = (error, value) => {
        this.#pending.settled(call);
        const code = (error as LibraryError | null | undefined)?.code;
        if (error === null || error === undefined) resolve(value);
        else reject(typeof code === 'number' ? new ZookeeperRefusal(path, code) : error);
      };
      try {
        start(done);
      } catch (error) {
        // A path that the library does not take.
        done(error as Error, undefined as never);
      }
    });
  }

  /** What is asked in one go leaves in few packets. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    this.#runtime.scheduler.soon(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }

  #watchOverSilence(): void {
    const sessionTimeoutMs = Math.min(this.#options.sessionTimeoutMs, this.sessionTimeoutMs);
    this.#silence = new SilenceWatch({
      ...this.#runtime,
      intervalMs: sessionTimeoutMs / PINGS_PER_SESSION,
      lastReceivedMs: () => this.#lastReceivedMs,
      // No call: one that is late is told of here, in other words.
      ask: () => this.#client.exists('/', undefined, ignore),
      onSilent: (quietMs) => this.#fail(discoveryError(`silent for ${Math.round(quietMs)} ms`)),
    });
  }

  #onData(chunk: Buffer): void {
    if (this.#problem !== undefined) return;
    const startMs = this.#nowMs();
    this.#lastReceivedMs = startMs;
    try {
      for (const frame of this.#frames.push(chunk)) {
        this.#onFrame(frame);
        if (this.#problem !== undefined) return;
      }
    } catch (error) {
      const ours = error instanceof EvenkeelError;
      this.#fail(
        ours ? error : discoveryError(`an answer that makes no sense: ${messageOf(error)}`, error),
      );
      return;
    }
    this.#busyMs += this.#nowMs() - startMs;
    if (this.#settleOpening === undefined) this.#listener.onAlive();
  }

  #onFrame(frame: Buffer): void {
    const manager = this.#client.connectionManager;
    if (manager.state === LIBRARY_STATE.connecting) {
      const { expired, readOnly } = inspectHandshake(frame);
      if (expired) throw new SessionExpired();
      this.#readOnly = readOnly;
      manager.onSocketData(frame);
      this.#settleOpening?.(undefined);
      this.#settleOpening = undefined;
      return;
    }
    if (frame.length < HEADER_BYTES + 4) {
      throw discoveryError('an answer that makes no sense: too short');
    }
    const code = frame.readInt32BE(ERROR_OFFSET);
    if (!isKnownCode(code)) throw discoveryError(`the server failed with ${code}`);
    manager.onSocketData(frame);
    if (manager.state === LIBRARY_STATE.authenticationFailed) {
      throw discoveryError('authentication failed');
    }
    // The library's way to say that an answer belongs to no question.
    if (this.#socket.destroyed) throw discoveryError('an answer to nothing that was asked');
  }

  #fail(error: Error): void {
    if (this.#problem !== undefined) return;
    this.#problem = error;
    this.#silence?.close();
    this.#client.connectionManager.state = LIBRARY_STATE.closed;
    this.#socket.destroy();
    this.#pending.close(error);
    this.#settleOpening?.(error);
    this.#settleOpening = undefined;
    this.#listener.onClosed(error);
  }
}

function nodeOf(data: Buffer | undefined, stat: LibraryStat): Node {
  return {
    data: data ?? Buffer.alloc(0),
    createdAt: stat.czxid.readBigInt64BE(),
    owner: stat.ephemeralOwner.readBigUInt64BE(),
  };
}
