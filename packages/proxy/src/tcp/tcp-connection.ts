/**
 * A connection of a client, from the first byte to the last of both directions.
 *
 * ```text
 *  hello ─► connecting ─► relaying ─► closed       hello: only where the name in TLS decides
 *              ▲   │
 *              └───┘ another endpoint, as long as none has answered
 * ```
 *
 * How it ends is what its cluster hears of the endpoint:
 *
 * | end | outcome |
 * |---|---|
 * | no connection: refused, unreachable, too slow | `connectFailure`, for each endpoint tried |
 * | the endpoint resets it; not after the client's FIN, if the endpoint has sent something | `reset` |
 * | silence, after the client has sent something and the endpoint nothing at all | `timeout` |
 * | the client resets it, or the proxy closes, before the endpoint has sent anything | `cancelled` |
 * | everything else | `success` |
 */
import { type Endpoint, Outcome, type Timer } from '@evenkeel/core';
import type { Timed } from '../socket/sweeper.ts';
import { Claim } from './claim.ts';
import { ClientHelloReader } from '../tls/client-hello.ts';
import type { Ends } from './dialer.ts';
import { RelayEnd, type RelayOwner, type RelayTarget } from './relay-end.ts';
import type { TcpHost } from './tcp-host.ts';
import type { TcpTarget } from './tcp-target.ts';

const State = { hello: 0, connecting: 1, relaying: 2, closed: 3 } as const;
type State = (typeof State)[keyof typeof State];

/** A fatal alert, `unrecognized_name` (RFC 6066 section 3, RFC 8446 section 6.2), in a record of its own. */
const UNRECOGNIZED_NAME = Buffer.from([21, 3, 3, 0, 2, 2, 112]);

/** For the alert to go out and the client to close. */
const LAST_WORD_MS = 1_000;

export class TcpConnection implements RelayOwner, Timed {
  dueAtMs: number;
  sweepIndex = -1;

  readonly #host: TcpHost;
  readonly #ends: Ends;
  readonly #client: RelayEnd;
  #upstream: RelayEnd | undefined = undefined;
  #target: TcpTarget | undefined = undefined;
  #claim: Claim | undefined = undefined;
  #state: State = State.hello;
  #hello: ClientHelloReader | undefined = undefined;
  /** What the client has sent while there was no connection to an endpoint: one read, or the hello. */
  #early: Buffer | undefined = undefined;
  #pause: Timer | undefined = undefined;
  /** Ends that have not closed. */
  #openCount = 1;

  /** @param accept makes the client's end, given its owner; it has to be paused */
  constructor(host: TcpHost, ends: Ends, accept: (owner: RelayOwner) => RelayEnd) {
    this.#host = host;
    this.#ends = ends;
    this.dueAtMs = host.runtime.clock.nowMs() + host.timeouts.helloTimeoutMs;
    this.#client = accept(this);
    host.sweeper.add(this);
  }

  /** The endpoint's place in its cluster, while there is one. */
  get claim(): Claim | undefined {
    return this.#claim;
  }

  /** @param early bytes of the client that were read before */
  begin(early?: Buffer): void {
    const { byName, byDefault } = this.#host.targets;
    if (byName !== undefined) this.#hello = new ClientHelloReader();
    else this.#choose(byDefault);
    if (early === undefined || this.onBytes(this.#client, early)) this.#client.resume();
  }

  /** The proxy closes, or the endpoint has left. */
  cutOff(): void {
    if (this.#state === State.closed) return;
    this.#host.counters.cutOffCount++;
    this.#finish(this.#hasAnswered ? Outcome.success : Outcome.cancelled);
  }

  onBytes(end: RelayEnd, bytes: Buffer): boolean {
    const { counters } = this.#host;
    if (end === this.#client) counters.clientByteCount += bytes.length;
    else counters.endpointByteCount += bytes.length;
    switch (this.#state) {
      case State.relaying: {
        this.onProgress();
        const other = end === this.#client ? this.#upstream : this.#client;
        return other === undefined ? false : end.sendTo(other, bytes);
      }
      case State.hello:
        return this.#readHello(bytes);
      case State.connecting:
        // The buffer keeps them, because nothing is read until there is somebody to send them to.
        this.#early = bytes;
        return false;
      case State.closed:
        return false;
    }
  }

  onProgress(): void {
    if (this.#state === State.relaying)
      this.dueAtMs = this.#host.runtime.clock.nowMs() + this.#host.timeouts.idleTimeoutMs;
  }

  onConnect(end: RelayEnd): void {
    if (this.#state !== State.connecting || end !== this.#upstream) return;
    this.#state = State.relaying;
    this.onProgress();
    this.#claim?.respond();
    const early = this.#early;
    this.#early = undefined;
    if (early === undefined || this.#client.sendTo(end, early)) this.#client.resume();
    if (this.#client.ended) end.end();
    end.resume();
  }

  onEnd(end: RelayEnd): void {
    switch (this.#state) {
      case State.relaying:
        (end === this.#client ? this.#upstream : this.#client)?.end();
        return;
      case State.hello:
        // It never said whom it wants.
        this.#host.counters.unroutedCount++;
        this.#finish(Outcome.cancelled);
        return;
      // Its FIN is sent on once there is a connection.
      case State.connecting:
      case State.closed:
        return;
    }
  }

  onClose(end: RelayEnd, error: Error | undefined): void {
    this.#openCount--;
    const isClient = end === this.#client;
    switch (this.#state) {
      case State.hello:
        this.#finish(Outcome.cancelled);
        break;
      case State.connecting:
        if (isClient) {
          this.#host.counters.clientResetCount++;
          this.#finish(Outcome.cancelled);
        } else if (end === this.#upstream) this.#connectFailed();
        break;
      case State.relaying:
        if (error !== undefined) this.#broken(isClient);
        else if (this.#openCount === 0) this.#finish(Outcome.success);
        break;
      case State.closed:
        break;
    }
    if (this.#state === State.closed && this.#openCount === 0) this.#host.closed(this);
  }

  onDue(): void {
    this.dueAtMs = Number.POSITIVE_INFINITY;
    const { counters } = this.#host;
    switch (this.#state) {
      case State.hello:
        counters.helloTimeoutCount++;
        this.#finish(Outcome.cancelled);
        return;
      case State.connecting: {
        const upstream = this.#upstream;
        this.#connectFailed();
        upstream?.destroy();
        return;
      }
      case State.relaying: {
        counters.idleTimeoutCount++;
        const isOwed = !this.#hasAnswered && this.#client.byteCount > 0;
        this.#finish(isOwed ? Outcome.timeout : Outcome.success);
        return;
      }
      case State.closed:
        this.#client.destroy();
    }
  }

  get #hasAnswered(): boolean {
    return (this.#upstream?.byteCount ?? 0) > 0;
  }

  /** One of the two was reset, or a write to it failed. */
  #broken(isClient: boolean): void {
    const { counters } = this.#host;
    if (isClient) {
      counters.clientResetCount++;
      this.#finish(this.#hasAnswered ? Outcome.success : Outcome.cancelled);
    } else {
      counters.endpointResetCount++;
      // Many servers close with bytes unread when their client is done.
      this.#finish(this.#client.ended && this.#hasAnswered ? Outcome.success : Outcome.reset);
    }
  }

  #readHello(bytes: Buffer): boolean {
    const reader = this.#hello;
    if (reader === undefined) return false;
    const verdict = reader.push(bytes);
    if (verdict === 'incomplete') return true;
    this.#hello = undefined;
    if (verdict === 'malformed') {
      this.#host.counters.malformedHelloCount++;
      this.#finish(Outcome.cancelled);
      return false;
    }
    this.#early = reader.bytes;
    const { byName, byDefault } = this.#host.targets;
    const name = reader.serverName;
    const target = (name === undefined ? undefined : byName?.find(name)) ?? byDefault;
    if (target === undefined && verdict === 'complete') this.#refuseName();
    else this.#choose(target);
    return false;
  }

  /** Says why before it closes. */
  #refuseName(): void {
    this.#host.counters.unroutedCount++;
    this.#state = State.closed;
    this.#early = undefined;
    this.dueAtMs = this.#host.runtime.clock.nowMs() + LAST_WORD_MS;
    const { socket } = this.#client;
    socket.end(UNRECOGNIZED_NAME, () => socket.destroySoon());
  }

  #choose(target: TcpTarget | undefined): void {
    if (target === undefined) {
      this.#host.counters.unroutedCount++;
      this.#finish(Outcome.cancelled);
      return;
    }
    this.#state = State.connecting;
    this.#target = target;
    this.#claim = new Claim(target, this.#ends.client.address);
    this.#connect(this.#claim.open());
  }

  #connect(endpoint: Endpoint | undefined): void {
    if (endpoint === undefined) {
      this.#host.counters.unservedCount++;
      this.#finish(Outcome.cancelled);
      return;
    }
    const { counters, runtime, timeouts } = this.#host;
    counters.connectCount++;
    this.dueAtMs = runtime.clock.nowMs() + timeouts.connectTimeoutMs;
    this.#openCount++;
    const dialing = this.#target?.dialer.dialing(endpoint, this.#ends);
    this.#upstream = RelayEnd.connect(placeOf(endpoint), this, dialing);
  }

  /** Nothing was sent: another endpoint may be asked, if the cluster's retries allow. */
  #connectFailed(): void {
    this.#host.counters.connectFailureCount++;
    this.#upstream = undefined;
    this.dueAtMs = Number.POSITIVE_INFINITY;
    const delayMs = this.#claim?.fail();
    if (delayMs === undefined) this.#finish(Outcome.connectFailure);
    else this.#after(delayMs, () => this.#tryNext());
  }

  #tryNext(): void {
    const next = this.#claim?.next();
    if (typeof next === 'number') {
      this.#after(next, () => this.#tryNext());
      return;
    }
    if (next === undefined) {
      this.#finish(Outcome.connectFailure);
      return;
    }
    this.#host.counters.retryCount++;
    this.#connect(next);
  }

  /** Never in the stack of the connection that failed. */
  #after(delayMs: number, task: () => void): void {
    this.#pause = this.#host.runtime.scheduler.after(delayMs, () => {
      this.#pause = undefined;
      if (this.#state === State.connecting) task();
    });
  }

  /** Both ends close, with RST wherever something may be missing. */
  #finish(outcome: Outcome): void {
    if (this.#state === State.closed) return;
    this.#state = State.closed;
    this.dueAtMs = Number.POSITIVE_INFINITY;
    this.#pause?.cancel();
    this.#early = undefined;
    this.#claim?.close(outcome);
    this.#upstream?.reset();
    this.#client.reset();
  }
}

function placeOf({ address }: Endpoint): RelayTarget {
  return address.kind === 'unix'
    ? { path: address.path }
    : { host: address.host, port: address.port };
}
