/** A connection of a client that speaks HTTP/2: a lane to the engine for each stream that is open. */
import type { Http2Config } from '../../config/http2-options.ts';
import { ClientConnection } from '../../engine/client-connection.ts';
import type { ClientIdentity } from '../../engine/client-identity.ts';
import type { Client, EngineHost } from '../../engine/host.ts';
import type { ByteStream } from '../../socket/byte-stream.ts';
import type { Timed } from '../../socket/sweeper.ts';
import type {
  FieldWriter,
  Http2Session,
  Http2SessionOwner,
  Http2Stream,
  Http2StreamOwner,
} from '../http2-stream.ts';
import { ClientLane, type LaneHost } from './client-lane.ts';
import { http2HostOf } from './http2-host.ts';
import { openClientSession } from './open-session.ts';

/** How long a client that was told to go may leave its connection open. */
const LINGER_MS = 1_000;

const NONE = Number.POSITIVE_INFINITY;

export interface ClientSessionPorts {
  readonly host: EngineHost;
  readonly identity: ClientIdentity;
  readonly http2: Http2Config;
}

export class ClientSession implements Client, Http2SessionOwner, LaneHost, Timed {
  /** Only for the end: all other limits are the session's own. */
  dueAtMs: number = NONE;
  sweepIndex = -1;
  readonly session: Http2Session;

  readonly #ports: ClientSessionPorts;
  readonly #lanes = new Set<ClientLane>();
  readonly #idle: ClientLane[] = [];
  #isDraining = false;

  constructor(ports: ClientSessionPorts) {
    const identity = { ...ports.identity, protocol: 'HTTP/2' };
    this.#ports = { ...ports, identity, host: http2HostOf(ports.host) };
    this.session = openClientSession(ports.host, ports.http2, this);
  }

  get stream(): ByteStream {
    return this.session.stream;
  }

  get fields(): FieldWriter {
    return this.session.fields;
  }

  /** Takes over a connection. @param early bytes that were read of it already */
  attach(stream: ByteStream, early: Buffer | undefined): void {
    const { host } = this.#ports;
    host.counters.http2.sessionCount++;
    host.counters.http2.openSessionCount++;
    host.sweeper.add(this);
    stream.owner = this.session;
    this.session.attach(stream);
    if (host.draining) this.drain();
    if (early !== undefined) this.session.onBytes(early, 0, early.length);
  }

  drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.session.drain();
    for (const lane of [...this.#lanes]) lane.owner.drain();
    if (this.session.openCount === 0) this.#linger();
  }

  onStream(stream: Http2Stream): Http2StreamOwner {
    const { counters } = this.#ports.host;
    counters.http2.streamCount++;
    counters.http2.openStreamCount++;
    const lane = this.#idle.pop() ?? this.#open();
    return lane.bind(stream);
  }

  onGoaway(): void {
    // Streams of the client's own go on, and none is opened from here.
  }

  onSettings(): void {
    // Nothing in the answers depends on them.
  }

  onIdleChange(isIdle: boolean): void {
    if (!this.#isDraining) return;
    if (isIdle) this.#linger();
    else this.dueAtMs = NONE;
  }

  onClose(): void {
    const { host } = this.#ports;
    host.counters.http2.openSessionCount--;
    host.sweeper.remove(this);
    // Those with a stream have heard of its end.
    for (const lane of [...this.#lanes]) lane.destroy();
    host.closed(this);
  }

  onDue(): void {
    this.dueAtMs = NONE;
    this.stream.destroy();
  }

  soon(task: () => void): void {
    this.#ports.host.runtime.scheduler.soon(task);
  }

  later(task: () => void): void {
    this.#ports.host.runtime.scheduler.after(0, task);
  }

  /** A lane has lost its stream. @param isReset was it broken off? */
  unbound(isReset: boolean): void {
    const { http2 } = this.#ports.host.counters;
    http2.openStreamCount--;
    if (isReset) http2.resetStreamCount++;
  }

  idle(lane: ClientLane): void {
    this.#idle.push(lane);
  }

  gone(lane: ClientLane): void {
    this.#lanes.delete(lane);
    const at = this.#idle.indexOf(lane);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  #open(): ClientLane {
    const { host, identity } = this.#ports;
    const client = new ClientConnection(host, identity);
    const lane = new ClientLane(this, client);
    this.#lanes.add(lane);
    host.sweeper.add(client);
    client.attach(lane);
    return lane;
  }

  #linger(): void {
    this.dueAtMs = this.#ports.host.runtime.clock.nowMs() + LINGER_MS;
  }
}
