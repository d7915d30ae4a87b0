import { Backoff } from '../algorithm/backoff.ts';
import { EvenkeelError, messageOf } from '../error/evenkeel-error.ts';
import { jittered } from '../runtime/random.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { sleep, type Timer } from '../runtime/scheduler.ts';
import { type RegistrationEvent, RegistrationHub } from './events.ts';
import type {
  HealthReport,
  InstanceHealth,
  Registrar,
  Registration,
  RegistrationStatus,
} from './registration.ts';

/** Two heartbeats may be lost before the third, and last, has to get through. */
const BEATS_PER_TTL = 3;
/** Spreads the heartbeats of a fleet that was started at once. */
const JITTER_RATIO = 0.1;
/** Ceiling of the first wait after a failure. */
const FIRST_BACKOFF_MS = 250;
/** Longest time for one call, if a third of the TTL is not shorter. */
const MAX_CALL_MS = 5_000;
/** `close()` tries for so long to take the announcement away. */
const WITHDRAW_LIMIT_MS = 5_000;
/** A registry that loses us again and again is told again at most this often. */
const MIN_ANNOUNCE_INTERVAL_MS = 1_000;

/** What distinguishes an event from the others of its registration. */
type EventBody = {
  [Type in RegistrationEvent['type']]: Omit<
    Extract<RegistrationEvent, { type: Type }>,
    'service' | 'id' | 'registry' | 'wallMs'
  >;
}[RegistrationEvent['type']];

export interface AnnouncerOptions {
  readonly id: string;
  readonly service: string;
  readonly kind: string;
  readonly registrar: Registrar;
  readonly lingerMs: number;
  readonly runtime: Runtime;
}

/**
 * Keeps one announcement alive.
 *
 * | now                                     | next                                                                 |
 * |-----------------------------------------|----------------------------------------------------------------------|
 * | announced, or a heartbeat got through   | heartbeat after a third of the TTL, ±10 %                            |
 * | a call failed, or took too long         | the same call, after a wait of full jitter up to a third of the TTL  |
 * | the registry does not know us (any more)| announced anew, at most once a second; counted                       |
 * | `setHealth()`                           | heartbeat at once, or as soon as the call under way has ended        |
 *
 * There is never more than one call under way, so that an old health cannot overtake a new one.
 */
export class Announcer implements Registration {
  readonly id: string;
  readonly service: string;
  readonly #options: AnnouncerOptions;
  readonly #runtime: Runtime;
  readonly #registrar: Registrar;
  readonly #intervalMs: number;
  readonly #callLimitMs: number;
  readonly #backoff: Backoff;
  readonly #hub: RegistrationHub;
  readonly #waiting = new Set<(error: Error | undefined) => void>();

  #state: RegistrationStatus['state'] = 'announcing';
  #report: HealthReport = { health: 'healthy', note: '' };
  /** What the registry was told last. */
  #told: HealthReport | undefined;
  #timer: Timer | undefined;
  #call: Promise<void> | undefined;
  #announcedAtMs: number = Number.NEGATIVE_INFINITY;
  #wasAnnounced = false;
  #closing: Promise<void> | undefined;
  #lastSuccessMs: number | undefined;
  #lastError: string | undefined;
  #beatCount = 0;
  #errorCount = 0;
  #lostCount = 0;

  constructor(options: AnnouncerOptions) {
    this.id = options.id;
    this.service = options.service;
    this.#options = options;
    this.#runtime = options.runtime;
    this.#registrar = options.registrar;
    this.#intervalMs = options.registrar.ttlMs / BEATS_PER_TTL;
    this.#callLimitMs = Math.min(MAX_CALL_MS, this.#intervalMs);
    this.#backoff = new Backoff({
      baseMs: Math.min(FIRST_BACKOFF_MS, this.#intervalMs),
      maxMs: this.#intervalMs,
      jitter: 'full',
      random: options.runtime.random,
    });
    this.#hub = new RegistrationHub((error) => {
      const fields = { ...this.#fields(), error: messageOf(error) };
      options.runtime.logger.error(fields, 'a listener of registration events threw');
    });
  }

  start(): void {
    this.#beginCall();
  }

  ready(signal?: AbortSignal): Promise<void> {
    if (this.#state === 'closed') return Promise.reject(this.#closedError());
    if (this.#wasAnnounced) return Promise.resolve();
    const hold = this.#runtime.scheduler.hold();
    return new Promise<void>((resolve, reject) => {
      const settle = (error: Error | undefined): void => {
        this.#waiting.delete(settle);
        signal?.removeEventListener('abort', onAbort);
        hold.cancel();
        if (error === undefined) resolve();
        else reject(error);
      };
      const onAbort = (): void => settle(signal?.reason as Error);
      this.#waiting.add(settle);
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  setHealth(health: InstanceHealth, note = ''): void {
    if (this.#closing !== undefined) return;
    this.#report = { health, note };
    // While announcing, the announcement will carry it; after a failure, the repetition.
    const isQuiet = this.#call === undefined && this.#lastError === undefined;
    if (this.#state === 'announced' && isQuiet && !this.#isTold()) this.#beginCall();
  }

  subscribe(listener: (event: RegistrationEvent) => void): () => void {
    return this.#hub.subscribe(listener);
  }

  status(): RegistrationStatus {
    const lastMs = this.#lastSuccessMs;
    return {
      kind: this.#options.kind,
      state: this.#state,
      health: this.#report.health,
      lastSuccessMs: lastMs,
      sinceSuccessMs: lastMs === undefined ? undefined : this.#runtime.clock.nowMs() - lastMs,
      lastError: this.#lastError,
      beatCount: this.#beatCount,
      errorCount: this.#errorCount,
      lostCount: this.#lostCount,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #isTold(): boolean {
    return this.#told?.health === this.#report.health && this.#told.note === this.#report.note;
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#runtime.scheduler.after(delayMs, () => this.#beginCall());
  }

  #beginCall(): void {
    this.#timer?.cancel();
    this.#call = this.#runCall().then((delayMs) => {
      this.#call = undefined;
      if (this.#closing === undefined) this.#schedule(delayMs);
    });
  }

  /** @returns how long to wait before the next call */
  async #runCall(): Promise<number> {
    const report = this.#report;
    try {
      const outcome = await this.#limited((signal) =>
        this.#state === 'announced'
          ? this.#registrar.beat(report, signal)
          : this.#registrar.announce(report, signal).then(() => 'announced' as const),
      );
      this.#onSuccess();
      if (outcome === 'lost') return this.#onLost();
      if (outcome === 'announced') this.#onAnnounced();
      else this.#beatCount += 1;
      this.#onTold(report);
      if (!this.#isTold()) return 0;
      return jittered(this.#runtime.random, this.#intervalMs, JITTER_RATIO);
    } catch (error) {
      this.#onFailure(error);
      return this.#backoff.nextMs();
    }
  }

  #onSuccess(): void {
    this.#backoff.reset();
    this.#lastSuccessMs = this.#runtime.clock.nowMs();
    if (this.#lastError === undefined) return;
    this.#lastError = undefined;
    if (this.#closing === undefined) this.#emit({ type: 'registration-recovered' });
  }

  #onTold(report: HealthReport): void {
    const { health, note } = report;
    const isNews = this.#told?.health !== health || this.#told.note !== note;
    this.#told = report;
    if (isNews && this.#closing === undefined) {
      this.#emit({ type: 'instance-health-told', health, note });
    }
  }

  #onAnnounced(): void {
    this.#announcedAtMs = this.#runtime.clock.nowMs();
    if (this.#closing !== undefined) return;
    this.#state = 'announced';
    this.#wasAnnounced = true;
    this.#runtime.logger.info(this.#fields(), 'registered');
    this.#emit({ type: 'registered' });
    for (const settle of this.#waiting) settle(undefined);
  }

  #onLost(): number {
    this.#lostCount += 1;
    if (this.#closing !== undefined) return 0;
    this.#state = 'announcing';
    this.#runtime.logger.warn(
      this.#fields(),
      'the registry has lost this instance: registering it again',
    );
    this.#emit({ type: 'registration-lost' });
    const earliestMs = this.#announcedAtMs + MIN_ANNOUNCE_INTERVAL_MS;
    return Math.max(0, earliestMs - this.#runtime.clock.nowMs());
  }

  #onFailure(error: unknown): void {
    if (this.#closing !== undefined) return;
    this.#errorCount += 1;
    this.#lastError = messageOf(error);
    const message =
      this.#state === 'announced'
        ? 'a heartbeat failed; trying again'
        : 'registration failed; trying again';
    this.#runtime.logger.warn({ ...this.#fields(), error: this.#lastError }, message);
    this.#emit({ type: 'registration-error', error: this.#error(this.#lastError, error) });
  }

  /** Gives a call its time, whether it heeds the signal or not. */
  #limited<T>(
    run: (signal: AbortSignal) => Promise<T>,
    limitMs: number = this.#callLimitMs,
  ): Promise<T> {
    const abort = new AbortController();
    return new Promise<T>((resolve, reject) => {
      const timer = this.#runtime.scheduler.after(limitMs, () => {
        const error = this.#error(`no answer within ${Math.round(limitMs)} ms`);
        abort.abort(error);
        reject(error);
      });
      run(abort.signal)
        .then(resolve, reject)
        .finally(() => timer.cancel());
    });
  }

  async #close(): Promise<void> {
    const { runtime, lingerMs } = this.#options;
    const hold = runtime.scheduler.hold();
    this.#timer?.cancel();
    const closed = this.#closedError();
    for (const settle of this.#waiting) settle(closed);
    // Cutting an announcement off could let it arrive after the withdrawal.
    await this.#call;
    this.#state = 'closed';
    const isWithdrawn = await this.#withdraw();
    await this.#registrar.close();
    // Clients can only have heard of what was announced.
    if (isWithdrawn && this.#wasAnnounced) await sleep(runtime.scheduler, lingerMs);
    hold.cancel();
    this.#emit({ type: 'deregistered', confirmed: isWithdrawn });
  }

  async #withdraw(): Promise<boolean> {
    const { clock, scheduler, logger } = this.#runtime;
    const endMs = clock.nowMs() + WITHDRAW_LIMIT_MS;
    this.#backoff.reset();
    for (;;) {
      try {
        const limitMs = Math.min(this.#callLimitMs, endMs - clock.nowMs());
        await this.#limited((signal) => this.#registrar.withdraw(signal), limitMs);
        logger.info(this.#fields(), 'deregistered');
        return true;
      } catch (error) {
        this.#lastError = messageOf(error);
        const delayMs = this.#backoff.nextMs();
        // What was hardly ever announced is not worth holding a shutdown up for.
        if (!this.#wasAnnounced || clock.nowMs() + delayMs > endMs) break;
        await sleep(scheduler, delayMs);
      }
    }
    const fields = { ...this.#fields(), error: this.#lastError };
    logger.warn(fields, 'not deregistered; the registry forgets this instance after its TTL');
    return false;
  }

  #fields(): { service: string; id: string; registry: string } {
    const { service, id, kind } = this.#options;
    return { service, id, registry: kind };
  }

  #emit(event: EventBody): void {
    this.#hub.emit({ ...this.#fields(), wallMs: this.#runtime.clock.wallMs(), ...event });
  }

  #error(problem: string, cause?: unknown): EvenkeelError {
    const { kind, service } = this.#options;
    return new EvenkeelError('EVENKEEL_REGISTRATION', `${kind} ${service}: ${problem}`, {
      retryable: true,
      ...(cause === undefined ? {} : { cause }),
    });
  }

  #closedError(): EvenkeelError {
    return new EvenkeelError('EVENKEEL_CLOSED', `the registration of ${this.id} is closed`);
  }
}
