import { getServers } from 'node:dns';
import { Backoff } from '../../algorithm/backoff.ts';
import { uniformUnit } from '../../algorithm/random-source.ts';
import { messageOf } from '../../error/evenkeel-error.ts';
import { createEndpoint } from '../../model/endpoint.ts';
import { createEndpointSet } from '../../model/endpoint-set.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Timer } from '../../runtime/scheduler.ts';
import type {
  DiscoveryEnvironment,
  Resolver,
  ResolverListener,
  ResolverStatus,
} from '../resolver.ts';
import { SourceReport } from '../source-report.ts';
import { AddressBook } from './address-book.ts';
import { DnsClient, type QueryLimits } from './client.ts';
import type { DnsConfig } from './config.ts';
import type { Exchange } from './exchange.ts';
import { lookForHost } from './host-look.ts';
import type { LookOutcome } from './outcome.ts';
import { type DnsServer, parseServer } from './server.ts';
import { lookForService } from './service-look.ts';

/**
 * For negative answers without an SOA record. RFC 2308 section 5 says they should not be cached, so they count as short.
 */
const NEGATIVE_TTL_SECONDS = 5;
/**
 * Looks come up to a tenth later than the TTL allows, never earlier: a caching server counts the TTL down and would
 * answer an early look with what is left of it.
 */
const REFRESH_JITTER_RATIO = 0.1;
/** Longest wait after failures, if `maxRefreshMs` is not shorter. */
const MAX_BACKOFF_MS = 30_000;

/**
 * Looks a name up again and again, by the TTLs of its answers.
 *
 * | a look ends with    | the set                        | next look                            |
 * |---------------------|--------------------------------|--------------------------------------|
 * | endpoints           | handed over if it differs      | least TTL, clamped, up to +10 %      |
 * | an empty answer     | kept, or cleared by `onEmpty`  | negative TTL, clamped, up to +10 %   |
 * | no answer           | kept                           | backoff with jitter, up to 30 s      |
 */
export class DnsResolver implements Resolver {
  readonly #config: DnsConfig;
  readonly #runtime: Runtime;
  readonly #report: SourceReport;
  readonly #client: DnsClient;
  readonly #book: AddressBook;
  readonly #backoff: Backoff;
  readonly #abort = new AbortController();

  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #lookStartMs: number = Number.NEGATIVE_INFINITY;
  #lookAgain = false;

  constructor(config: DnsConfig, environment: DiscoveryEnvironment, exchange: Exchange) {
    this.#config = config;
    this.#runtime = environment.runtime;
    this.#report = new SourceReport({ kind: 'dns', source: describeTarget(config) }, environment);
    this.#client = new DnsClient({
      servers: () => config.servers ?? systemServers(),
      exchange,
      clock: environment.runtime.clock,
      tryTimeoutMs: config.tryTimeoutMs,
    });
    this.#book = new AddressBook(this.#client, config.families);
    // Equal jitter waits at least half the ceiling, so twice the minimum keeps the promise of `minRefreshMs`.
    const baseMs = 2 * config.minRefreshMs;
    this.#backoff = new Backoff({
      baseMs,
      maxMs: Math.max(baseMs, Math.min(config.maxRefreshMs, MAX_BACKOFF_MS)),
      jitter: 'equal',
      random: environment.runtime.random,
    });
  }

  start(listener: ResolverListener): void {
    this.#report.open(listener);
    this.#beginLook();
  }

  /** At most one look per `minRefreshMs`, however often it is called: callers do so whenever a connection breaks. */
  refresh(): void {
    if (this.#report.closed) return;
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return;
    }
    const earliestMs = this.#lookStartMs + this.#config.minRefreshMs;
    this.#schedule(Math.max(0, earliestMs - this.#runtime.clock.nowMs()));
  }

  status(): ResolverStatus {
    return this.#report.status();
  }

  async close(): Promise<void> {
    this.#report.close();
    this.#timer?.cancel();
    this.#abort.abort();
    await this.#looking;
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#runtime.scheduler.after(delayMs, () => this.#beginLook());
  }

  #beginLook(): void {
    const { target } = this.#config;
    this.#lookStartMs = this.#runtime.clock.nowMs();
    if (target.kind === 'literal') {
      const endpoint = createEndpoint({ host: target.address, port: target.port });
      this.#report.succeed(createEndpointSet([endpoint]));
      return;
    }
    this.#looking = this.#look().then((delayMs) => {
      this.#looking = undefined;
      if (this.#report.closed) return;
      this.#schedule(delayMs);
      if (!this.#lookAgain) return;
      this.#lookAgain = false;
      this.refresh();
    });
  }

  /** @returns how long to wait before the next look */
  async #look(): Promise<number> {
    try {
      const outcome = await this.#ask();
      this.#backoff.reset();
      this.#take(outcome);
      return this.#refreshDelayMs(outcome);
    } catch (error) {
      this.#report.fail(messageOf(error), error);
      return this.#backoff.nextMs();
    }
  }

  #ask(): Promise<LookOutcome> {
    const { target, timeoutMs } = this.#config;
    const limits: QueryLimits = {
      deadlineMs: this.#lookStartMs + timeoutMs,
      signal: this.#abort.signal,
    };
    return target.kind === 'service'
      ? lookForService(target.name, { client: this.#client, book: this.#book, limits })
      : lookForHost(target as Extract<typeof target, { kind: 'host' }>, this.#book, limits);
  }

  #take(outcome: LookOutcome): void {
    if (outcome.kind === 'endpoints') {
      this.#report.succeed(createEndpointSet(outcome.endpoints), outcome.complaint);
    } else if (this.#config.onEmpty === 'clear') {
      this.#report.succeed(createEndpointSet([]), outcome.reason);
    } else {
      const kept = this.#report.last?.endpoints.length ?? 0;
      this.#report.fail(
        kept === 0 ? outcome.reason : `${outcome.reason}; keeping the last ${kept} endpoints`,
      );
    }
  }

  #refreshDelayMs({ kind, ttlSeconds }: LookOutcome): number {
    const { minRefreshMs, maxRefreshMs } = this.#config;
    const ttlMs = (ttlSeconds ?? (kind === 'empty' ? NEGATIVE_TTL_SECONDS : 0)) * 1_000;
    const delayMs = Math.min(maxRefreshMs, Math.max(minRefreshMs, ttlMs));
    return delayMs * (1 + uniformUnit(this.#runtime.random) * REFRESH_JITTER_RATIO);
  }
}

function describeTarget({ target }: DnsConfig): string {
  switch (target.kind) {
    case 'host':
      return `${target.name}:${target.port}`;
    case 'service':
      return target.name;
    case 'literal':
      return `${target.address}:${target.port}`;
  }
}

function systemServers(): DnsServer[] {
  return getServers()
    .map(parseServer)
    .filter((server) => server !== undefined);
}
