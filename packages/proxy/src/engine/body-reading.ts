/** When the body of a request is read, and how long that may take: the endpoint, and filters, may hold it up. */
import { BodyPace } from './body-pace.ts';
import type { ClientConnection } from './client-connection.ts';
import { State } from './client-state.ts';
import type { EngineHost } from './host.ts';

export class BodyReading {
  readonly #host: EngineHost;
  readonly #client: ClientConnection;
  readonly #pace = new BodyPace();
  /** Does the endpoint not keep up with the body, or is it not there yet? */
  #awaitsEndpoint = false;

  constructor(host: EngineHost, client: ClientConnection) {
    this.#host = host;
    this.#client = client;
  }

  get isPaused(): boolean {
    return this.#awaitsEndpoint || this.#client.intake.awaitsFilter;
  }

  /** More of the request is to come. */
  begin(): void {
    this.#client.state = State.body;
    if (this.#isPaced) this.#pace.begin(this.#nowMs());
    this.moveLimit();
  }

  /** The request is over. */
  forget(): void {
    this.#awaitsEndpoint = false;
  }

  /** The endpoint does not keep up, or is not there yet. */
  pause(): void {
    const client = this.#client;
    if (client.state !== State.body && client.state !== State.tunnel) return;
    this.#awaitsEndpoint = true;
    this.#stop();
    // Not the client's time.
    client.dueAtMs = client.exchange.deadlineAtMs;
  }

  resume(): void {
    const client = this.#client;
    this.#awaitsEndpoint = false;
    if (client.intake.awaitsFilter) return;
    if (client.state === State.waiting && !client.stalls)
      client.dueAtMs = client.exchange.deadlineAtMs;
    if (client.state !== State.body && client.state !== State.tunnel) return;
    this.#goOn();
    this.moveLimit();
  }

  /** A filter takes its time with the body: it may be as long as a client may be silent. */
  pauseForFilter(): void {
    const client = this.#client;
    if (client.state === State.body) this.#stop();
    this.#limit(this.#host.timeouts.bodyIdleMs);
  }

  /** It is ready. */
  filterReady(): void {
    const { state } = this.#client;
    if (state === State.body && this.#awaitsEndpoint) return;
    if (state === State.body) this.#goOn();
    if (state === State.body || state === State.waiting) this.moveLimit();
  }

  /** The request waits for a connection: as long as for one that is being made. */
  limitWait(): void {
    this.#limit(this.#host.timeouts.connectMs);
  }

  /** The client has shown that it is there. */
  moveLimit(): void {
    const client = this.#client;
    if (client.state !== State.body) {
      client.dueAtMs = client.exchange.deadlineAtMs;
      return;
    }
    const { timeouts } = this.#host;
    if (client.exchange.kind.isCall) {
      this.#limit(timeouts.tunnelIdleMs);
      return;
    }
    const dueAtMs = this.#nowMs() + timeouts.bodyIdleMs;
    client.dueAtMs = this.#isPaced
      ? Math.min(dueAtMs, this.#pace.dueAtMs(client.intake.bodyByteCount, timeouts))
      : dueAtMs;
  }

  get #isPaced(): boolean {
    return this.#host.timeouts.minBodyBytesPerSecond > 0;
  }

  #limit(limitMs: number): void {
    const client = this.#client;
    client.dueAtMs = Math.min(client.exchange.deadlineAtMs, this.#nowMs() + limitMs);
  }

  #stop(): void {
    this.#client.stream.pause();
    if (this.#isPaced) this.#pace.pause(this.#nowMs());
  }

  #goOn(): void {
    this.#client.stream.resume();
    if (this.#isPaced) this.#pace.resume(this.#nowMs());
  }

  #nowMs(): number {
    return this.#host.runtime.clock.nowMs();
  }
}
