/**
 * The sessions with one endpoint. Requests share those that have room; another one is made when none has. What is not
 * sent because a session left goes back to the engine as not sent, and may go anywhere.
 */
import type { UpstreamHttp2Config } from '../../config/http2-options.ts';
import { type ByteStream, NotTakenError, type StreamOwner } from '../../socket/byte-stream.ts';
import type { SocketStream } from '../../socket/socket-stream.ts';
import type { Sweeper } from '../../socket/sweeper.ts';
import type { Http2Session, Http2SessionOwner, Http2StreamOwner } from '../http2-stream.ts';
import { NOBODY } from '../translate/detached.ts';
import { Dial, type DialHost } from './dial.ts';
import { UpstreamLane, type UpstreamLaneHost } from './upstream-lane.ts';
import { UpstreamSession, type UpstreamSessionHost } from './upstream-session.ts';

/** What is counted of sessions with endpoints. */
export interface SessionCounters {
  upstreamSessionCount: number;
  openUpstreamSessionCount: number;
  upstreamStreamCount: number;
  openUpstreamStreamCount: number;
  refusedUpstreamStreamCount: number;
}

/** What the proxy does for sessions. Looked at anew each time: another configuration may be in force. */
export interface SessionsPorts {
  readonly sweeper: Sweeper;
  readonly counters: SessionCounters;
  soon(task: () => void): void;
  connectDueAtMs(): number;
  /** A socket is opened. */
  dialled(): void;
  open(owner: Http2SessionOwner, config: UpstreamHttp2Config): Http2Session;
}

/** How the endpoint is reached. */
export interface SessionsTarget {
  readonly isSecure: boolean;
  /** @param protocols for ALPN, the best one first */
  connect(owner: StreamOwner, protocols: readonly string[]): SocketStream;
}

const HTTP_1 = ['http/1.1'];
const HTTP_2 = ['h2'];
const BOTH = ['h2', 'http/1.1'];

export class EndpointSessions implements UpstreamLaneHost, UpstreamSessionHost, DialHost {
  readonly leftovers: Http2StreamOwner = { ...NOBODY, onClose: () => this.roomMade() };
  isClosing = false;

  readonly #ports: SessionsPorts;
  readonly #target: SessionsTarget;
  readonly #config: UpstreamHttp2Config;
  readonly #sessions = new Set<UpstreamSession>();
  readonly #dials = new Set<Dial>();
  /** Connections that the engine waits for. */
  readonly #arriving = new Set<UpstreamLane>();
  /** Those with a request that no session has room for. */
  readonly #waiting = new Set<UpstreamLane>();
  /** Did the last connection speak HTTP/1.1? */
  #isPlain = false;
  #isServing = false;

  constructor(ports: SessionsPorts, target: SessionsTarget, config: UpstreamHttp2Config) {
    this.#ports = ports;
    this.#target = target;
    this.#config = config;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  get idleCount(): number {
    let count = 0;
    for (const { session } of this.#sessions) if (session.openCount === 0) count++;
    return count;
  }

  get scheme(): 'http' | 'https' {
    return this.#target.isSecure ? 'https' : 'http';
  }

  get maxStreams(): number {
    return this.#config.maxStreamsPerConnection;
  }

  get sweeper(): Sweeper {
    return this.#ports.sweeper;
  }

  connectDueAtMs(): number {
    return this.#ports.connectDueAtMs();
  }

  soon(task: () => void): void {
    this.#ports.soon(task);
  }

  open(owner: Http2SessionOwner): Http2Session {
    return this.#ports.open(owner, this.#config);
  }

  /** A connection for one request at a time. */
  connect(owner: StreamOwner): ByteStream {
    const lane = new UpstreamLane(this, owner);
    if (this.#hasSession) this.soon(() => lane.arrived());
    else {
      this.#arriving.add(lane);
      if (this.#isPlain) this.#dialFor(lane, BOTH);
      else this.#dial();
    }
    return lane;
  }

  /** No requests come any more; those that are under way may finish. */
  drain(): void {
    this.isClosing = true;
    for (const { session } of this.#sessions) if (session.openCount === 0) session.drain();
  }

  destroy(): void {
    this.isClosing = true;
    for (const dial of this.#dials) dial.cancel();
    this.#dials.clear();
    for (const { stream } of this.#sessions) stream.destroy();
  }

  sessionFor(lane: UpstreamLane): Http2Session | undefined {
    for (const session of this.#sessions) if (session.hasRoom) return session.session;
    this.#waiting.add(lane);
    this.#dial();
    return undefined;
  }

  wantsPlain(lane: UpstreamLane): boolean {
    if (this.#config.mode !== 'auto') return false;
    this.#dialFor(lane, HTTP_1);
    return true;
  }

  streamOpened(): void {
    this.#ports.counters.upstreamStreamCount++;
    this.#ports.counters.openUpstreamStreamCount++;
  }

  streamClosed(isRefused: boolean): void {
    const { counters } = this.#ports;
    counters.openUpstreamStreamCount--;
    if (isRefused) counters.refusedUpstreamStreamCount++;
    this.roomMade();
  }

  gone(lane: UpstreamLane): void {
    this.#arriving.delete(lane);
    this.#waiting.delete(lane);
    if (!lane.isDead) return;
    for (const dial of this.#dials) {
      if (dial.lane !== lane) continue;
      this.#dials.delete(dial);
      dial.cancel();
    }
  }

  roomMade(): void {
    if (this.#waiting.size === 0 || this.#isServing) return;
    this.#isServing = true;
    // The stream that makes room is just being closed.
    this.soon(() => {
      this.#isServing = false;
      this.#serve();
    });
  }

  ready(): void {
    this.#isPlain = false;
    for (const lane of [...this.#arriving]) {
      this.#arriving.delete(lane);
      lane.arrived();
    }
    this.#serve();
  }

  left(session: UpstreamSession, isClosed: boolean): void {
    if (isClosed && this.#sessions.delete(session)) {
      this.#ports.counters.openUpstreamSessionCount--;
      if (!session.isReady) this.#giveUp(new Error('the endpoint does not speak HTTP/2'));
    }
    if (this.#waiting.size > 0) this.#dial();
  }

  connected(dial: Dial): void {
    this.#dials.delete(dial);
    const { stream, lane } = dial;
    const isHttp2 = !this.#target.isSecure || stream.protocol === 'h2';
    if (!isHttp2) {
      this.#connectedPlain(stream, lane);
      return;
    }
    this.#ports.counters.upstreamSessionCount++;
    this.#ports.counters.openUpstreamSessionCount++;
    this.#sessions.add(new UpstreamSession(this, stream));
  }

  failed(dial: Dial, error: Error): void {
    this.#dials.delete(dial);
    if (dial.lane !== undefined) dial.lane.fail(new NotTakenError(error.message));
    else this.#giveUp(error);
  }

  get #hasSession(): boolean {
    for (const session of this.#sessions) if (session.isReady && !session.isLeaving) return true;
    return false;
  }

  #connectedPlain(stream: SocketStream, dialledFor: UpstreamLane | undefined): void {
    if (this.#config.mode === 'always') {
      stream.destroy();
      this.#giveUp(new Error('the endpoint does not offer HTTP/2'));
      return;
    }
    this.#isPlain = true;
    const [lane] = dialledFor === undefined ? [...this.#arriving, ...this.#waiting] : [dialledFor];
    if (lane === undefined) stream.destroy();
    else lane.become(stream, this.#arriving.has(lane));
    // Those who hoped for a place on it need connections of their own.
    const others = [...this.#arriving, ...this.#waiting];
    for (const other of others) if (!this.#isDialledFor(other)) this.#dialFor(other, BOTH);
  }

  #isDialledFor(lane: UpstreamLane): boolean {
    for (const dial of this.#dials) if (dial.lane === lane) return true;
    return false;
  }

  /** No new session came: whoever cannot use another one is not served here. */
  #giveUp(error: Error): void {
    const isHopeless = this.#sessions.size === 0 && this.#dials.size === 0;
    const lanes = [...this.#arriving, ...(isHopeless ? this.#waiting : [])];
    for (const lane of lanes) lane.fail(new NotTakenError(error.message));
  }

  #serve(): void {
    for (const lane of [...this.#waiting]) {
      if (![...this.#sessions].some(({ hasRoom }) => hasRoom)) {
        this.#dial();
        return;
      }
      this.#waiting.delete(lane);
      lane.go();
    }
  }

  /** Makes as many sessions as those who wait need, if they may be. */
  #dial(): void {
    const wanted = Math.ceil((this.#arriving.size + this.#waiting.size) / this.maxStreams);
    let pending = 0;
    let usable = 0;
    for (const { isReady, isLeaving } of this.#sessions) {
      if (!isReady) pending++;
      if (!isLeaving) usable++;
    }
    for (const dial of this.#dials) {
      if (dial.lane !== undefined) continue;
      pending++;
      usable++;
    }
    const { maxConnectionsPerEndpoint, mode } = this.#config;
    for (; pending < wanted && usable < maxConnectionsPerEndpoint; pending++, usable++)
      this.#start(undefined, mode === 'auto' ? BOTH : HTTP_2);
  }

  #dialFor(lane: UpstreamLane, protocols: readonly string[]): void {
    this.#start(lane, protocols);
  }

  #start(lane: UpstreamLane | undefined, protocols: readonly string[]): void {
    this.#ports.dialled();
    const dial = new Dial(this, lane, (owner) => this.#target.connect(owner, protocols));
    this.#dials.add(dial);
  }
}
