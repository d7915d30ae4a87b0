import type { Endpoint } from '../../model/endpoint.ts';
import { createEndpointSet, MAX_ENDPOINTS } from '../../model/endpoint-set.ts';
import { discoveryError } from '../discovery-error.ts';
import { LastKnownGood } from '../guard/last-known-good.ts';
import { MassRemovalGuard, type Verdict } from '../guard/mass-removal-guard.ts';
import type { SetStore } from '../guard/set-store.ts';
import type {
  DiscoveryEnvironment,
  Resolver,
  ResolverListener,
  ResolverStatus,
} from '../resolver.ts';
import { SourceReport } from '../source-report.ts';
import { ColdStart } from './cold-start.ts';
import type { WatchConfig, WatchTimes } from './config.ts';
import type { Reading, RegistrySource } from './registry-source.ts';
import { WatchLoop } from './watch-loop.ts';

/** A registry and how it is to be watched. */
export interface RegistryResolverOptions<Position> {
  readonly source: RegistrySource<Position>;
  readonly config: WatchConfig;
  readonly times: WatchTimes;
  readonly environment: DiscoveryEnvironment;
  /** Default: a file, if the configuration names one. */
  readonly store?: SetStore | undefined;
}

/**
 * Watches a registry, whichever it is: {@link WatchLoop} decides when it is asked; here is decided what its answers do.
 *
 * | an answer                           | the set                                                  | reported                          |
 * |-------------------------------------|----------------------------------------------------------|-----------------------------------|
 * | lists endpoints                     | handed over if it differs                                | its complaint, when it changes    |
 * | lacks more than the guard believes  | what it lists, and what it lacks until a second look     | a complaint; counted              |
 * | is empty                            | kept, or guarded like any other with `onEmpty: 'clear'`  | failure                           |
 * | has more than 65,536 endpoints      | kept                                                     | failure                           |
 * | does not come                       | kept; at a cold start the last known good one from disk  | failure, each time                |
 */
export class RegistryResolver<Position> implements Resolver {
  readonly #source: RegistrySource<Position>;
  readonly #config: WatchConfig;
  readonly #environment: DiscoveryEnvironment;
  readonly #report: SourceReport;
  readonly #guard: MassRemovalGuard;
  readonly #loop: WatchLoop<Position>;
  readonly #store: SetStore | undefined;
  readonly #coldStart: ColdStart | undefined;

  #complaint: string | undefined;
  #heldCount = 0;
  #guardTripCount = 0;

  constructor(options: RegistryResolverOptions<Position>) {
    const { source, config, times, environment } = options;
    const { runtime } = environment;
    this.#source = source;
    this.#config = config;
    this.#environment = environment;
    this.#report = new SourceReport(source.identity, environment);
    this.#guard = new MassRemovalGuard(config.guard);
    this.#loop = new WatchLoop({
      source,
      times: { ...times, ...config },
      runtime,
      listener: {
        onReading: (reading) => this.#onReading(reading),
        onUnchanged: () => this.#onUnchanged(),
        onFailure: (problem, cause) => this.#onFailure(problem, cause),
      },
    });
    this.#store = options.store ?? createStore(options);
    this.#coldStart =
      this.#store && new ColdStart({ store: this.#store, report: this.#report, environment });
  }

  start(listener: ResolverListener): void {
    this.#report.open(listener);
    this.#coldStart?.start();
    this.#loop.start();
  }

  refresh(): void {
    this.#loop.refresh();
  }

  status(): ResolverStatus {
    return {
      ...this.#report.status(),
      watch: {
        resyncCount: this.#loop.resyncCount,
        silenceCount: this.#loop.silenceCount,
        guardTripCount: this.#guardTripCount,
        heldCount: this.#heldCount,
        restored: this.#coldStart?.restored ?? false,
      },
    };
  }

  async close(): Promise<void> {
    this.#report.close();
    this.#coldStart?.close();
    this.#loop.close();
    await Promise.all([this.#source.close(), this.#store?.close()]);
  }

  #onReading({ endpoints, complaint }: Reading<Position>): number | undefined {
    if (endpoints.length > MAX_ENDPOINTS) {
      throw discoveryError(
        `lists ${endpoints.length} endpoints; at most ${MAX_ENDPOINTS} are allowed`,
      );
    }
    if (endpoints.length === 0 && this.#config.onEmpty === 'keep') {
      this.#keepInsteadOfNothing(complaint);
      return undefined;
    }
    const verdict = this.#judge(endpoints);
    this.#heldCount = verdict.heldCount;
    this.#complaint = this.#complaintsOf(verdict, complaint);
    this.#coldStart?.confirmed();
    this.#report.succeed(verdict.set, this.#complaint);
    this.#save();
    return verdict.confirmAtMs;
  }

  #judge(endpoints: readonly Endpoint[]): Verdict {
    const { cluster, runtime } = this.#environment;
    const inForce = this.#report.last;
    const listed = createEndpointSet(endpoints);
    const verdict = this.#guard.judge(inForce, listed, runtime.clock.nowMs());
    if (verdict.tripped) {
      this.#guardTripCount += 1;
      const { heldCount } = verdict;
      const fields = { cluster, heldCount, listedCount: listed.endpoints.length };
      runtime.logger.warn(fields, 'guard: many endpoints vanished at once; keeping them for now');
    }
    return verdict;
  }

  #onUnchanged(): void {
    const { last } = this.#report;
    // After an empty list there is nothing that could be confirmed.
    if (last === undefined || !this.#report.status().healthy) return;
    this.#report.succeed(last, this.#complaint);
    this.#save();
  }

  #onFailure(problem: string, cause: unknown): void {
    const notice = this.#coldStart?.onFailure();
    this.#report.fail(notice === undefined ? problem : `${problem}; ${notice}`, cause);
  }

  /** The same emptiness is said once: a registry may be busy with other things, and answer several times a second. */
  #keepInsteadOfNothing(complaint: string | undefined): void {
    const notice = this.#coldStart?.onFailure();
    const kept = this.#report.last?.endpoints.length ?? 0;
    const keeping = kept === 0 ? undefined : `keeping the last ${kept}`;
    const problem = joined(['lists no endpoint', complaint, notice ?? keeping]);
    const { healthy, lastError } = this.#report.status();
    if (!healthy && lastError === problem) return;
    this.#report.fail(problem ?? '');
  }

  #complaintsOf(verdict: Verdict, complaint: string | undefined): string | undefined {
    const { heldCount } = verdict;
    const held =
      heldCount === 0
        ? undefined
        : `guard: ${heldCount} endpoints are no longer listed; keeping them until a second look`;
    return joined([complaint, held, this.#store?.problem]);
  }

  /** Only what the registry stands by goes to disk: nothing that is held, and never an empty set. */
  #save(): void {
    const { last } = this.#report;
    if (last === undefined || last.endpoints.length === 0 || this.#heldCount > 0) return;
    this.#store?.save(last);
  }
}

function joined(parts: readonly (string | undefined)[]): string | undefined {
  const given = parts.filter((part) => part !== undefined);
  return given.length === 0 ? undefined : given.join('; ');
}

function createStore<Position>(options: RegistryResolverOptions<Position>): SetStore | undefined {
  const { config, source, environment } = options;
  const { lastKnownGood } = config;
  const owner = { kind: source.identity.kind, source: source.subject };
  return lastKnownGood && new LastKnownGood(lastKnownGood, owner, environment.runtime);
}
