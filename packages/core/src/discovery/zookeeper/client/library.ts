/**
 * What is used of node-zookeeper-client: its codec, its request queue and its watch table. The parts of it that live
 * behind the public face are named here and nowhere else.
 *
 * Its own way with sockets is not used. Tried with 1.1.3: a frame with a negative or short length, and an error code that
 * its table lacks (-118, session moved, of every current server), throw out of a socket event and end the process; the
 * read timeout is commented out and nobody looks at the answers to pings, so a half-open connection is unseen until the
 * system's TCP gives up, a quarter of an hour later; its timers and sockets keep a finished program alive.
 */
import type { Socket } from 'node:net';
import zookeeper from 'node-zookeeper-client';
import { EvenkeelError } from '../../../error/evenkeel-error.ts';

export type Done<T> = (error: LibraryError | Error | null | undefined, value: T) => void;

/** What a server refused, in the library's words. */
export interface LibraryError extends Error {
  readonly code?: number;
}

/** Of the many fields of a node's status, those that we read. Numbers of 64 bits come as eight bytes. */
export interface LibraryStat {
  readonly czxid: Buffer;
  readonly ephemeralOwner: Buffer;
}

export interface LibraryEvent {
  readonly path: string;
  readonly type: number;
}

type Watcher = (event: LibraryEvent) => void;
type Children = (error: LibraryError | null, names: string[] | undefined) => void;

export interface LibraryClient {
  readonly connectionManager: LibraryManager;
  addAuthInfo(scheme: string, auth: Buffer): void;
  getSessionId(): Buffer;
  getSessionPassword(): Buffer;
  getSessionTimeout(): number;
  getChildren(path: string, watcher: Watcher | Children, callback?: Children): void;
  getData(
    path: string,
    watcher: Watcher | undefined,
    callback: (error: LibraryError | null, data: Buffer | undefined, stat: LibraryStat) => void,
  ): void;
  exists(path: string, watcher: Watcher | undefined, callback: Done<LibraryStat | null>): void;
  create(path: string, data: Buffer, acls: unknown[], mode: number, callback: Done<string>): void;
  setData(path: string, data: Buffer, version: number, callback: Done<LibraryStat>): void;
  remove(path: string, version: number, callback: Done<undefined>): void;
}

/** The inner part that we feed. */
export interface LibraryManager {
  socket: Socket | undefined;
  state: number;
  onSocketTimeout: () => void;
  onSocketData(frame: Buffer): void;
  onSocketDrain(): void;
  close(): void;
}

/** States of the inner part. */
export const LIBRARY_STATE = {
  connecting: 1,
  connected: 2,
  closed: -2,
  expired: -3,
  authenticationFailed: -4,
} as const;

export interface SessionKey {
  readonly id: Buffer;
  readonly password: Buffer;
}

const INNER_METHODS = ['onSocketData', 'onSocketDrain', 'close'] as const;

/** A client that has no connection and never makes one by itself. */
export function createLibraryClient(
  sessionTimeoutMs: number,
  resume: SessionKey | undefined,
): LibraryClient {
  const options = {
    sessionTimeout: sessionTimeoutMs,
    retries: 0,
    ...(resume === undefined ? {} : { sessionId: resume.id, sessionPassword: resume.password }),
  };
  // Which server it is told does not matter: it is never asked to connect.
  const client = zookeeper.createClient('localhost', options) as unknown as LibraryClient;
  const manager: Partial<LibraryManager> | undefined = client.connectionManager;
  if (!INNER_METHODS.every((name) => typeof manager?.[name] === 'function')) {
    throw new EvenkeelError(
      'EVENKEEL_DISCOVERY',
      'this version of node-zookeeper-client is unknown here; 1.1.3 is meant',
    );
  }
  return client;
}

/** Codes that the library can make an error of; it throws where it meets another one. */
const KNOWN_CODES: ReadonlySet<number> = new Set([
  ...[0, -1, -2, -3, -4, -5, -6, -7, -8, -100, -101, -102, -103, -108],
  ...[-110, -111, -112, -113, -114, -115],
]);

export function isKnownCode(code: number): boolean {
  return KNOWN_CODES.has(code);
}

export const CREATE_MODE: {
  readonly persistent: number;
  readonly ephemeral: number;
  readonly ephemeralSequential: number;
} = { persistent: 0, ephemeral: 1, ephemeralSequential: 3 };

/** Lists that the published types lack. */
const ACLS = zookeeper.ACL as unknown as Readonly<
  Record<'OPEN_ACL_UNSAFE' | 'CREATOR_ALL_ACL' | 'READ_ACL_UNSAFE', unknown[]>
>;

/** Everybody may do everything. */
export function openAcl(): unknown[] {
  return ACLS.OPEN_ACL_UNSAFE;
}

/** Whoever created it, by its digest, may do everything; everybody may read. */
export function creatorAcl(): unknown[] {
  return [...ACLS.CREATOR_ALL_ACL, ...ACLS.READ_ACL_UNSAFE];
}
