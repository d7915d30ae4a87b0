import { Counter, Gauge, Registry } from 'prom-client';
import { configError } from '../../error/config-error.ts';
import type { MetricsRegistry } from './metrics.ts';

/** What metrics use of one cluster of a dispatcher: an entry of `dispatcher.stats.clusters`. */
export interface DispatcherClusterStats {
  readonly cluster: string;
  readonly runningCount: number;
  readonly waitingCount: number;
  readonly pendingCount: number;
  readonly connectionCount: number;
  readonly retryVerdicts: Readonly<Record<string, number>>;
  readonly retryBudget: number;
  readonly hedgeCount: number;
  readonly hedgeWinCount: number;
  readonly hedgeRefusedCount: number;
  readonly deadlineCount: number;
  readonly admissionRefusedCount: number;
  readonly fallbackCount: number;
  readonly affinity?: DispatcherAffinityStats | undefined;
}

/** How clients with an affinity cookie fared. */
export interface DispatcherAffinityStats {
  readonly visits: Readonly<Record<string, number>>;
  readonly keptCount: number;
  readonly movedCount: number;
}

/** What `createDispatcher()` of `@evenkeel/core/undici` returns has it. */
export interface MeteredDispatcher {
  readonly stats: { readonly clusters: readonly DispatcherClusterStats[] };
}

export interface DispatcherMetricsOptions {
  /** Dispatchers to begin with. Series of one cluster under several dispatchers are added up. */
  readonly dispatchers?: readonly MeteredDispatcher[] | undefined;
  /** Where the metrics are registered. Default: a registry of their own. */
  readonly registry?: MetricsRegistry | undefined;
  /** First word of every name: letters, digits and `_`, not beginning with a digit. Default `evenkeel`. */
  readonly prefix?: string | undefined;
}

/** Metrics of dispatchers, live until {@link DispatcherMetrics.close}. */
export interface DispatcherMetrics {
  readonly registry: MetricsRegistry;
  add(dispatcher: MeteredDispatcher): void;
  /** Takes a dispatcher's counts away: best at the end of a process, because counters fall. */
  remove(dispatcher: MeteredDispatcher): void;
  /** Takes everything out of the registry again. Idempotent. */
  close(): void;
}

/** A metric, and its values for one cluster. */
interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly read: (stats: DispatcherClusterStats) => number;
}

const FAMILIES: readonly Family[] = [
  gauge(
    'dispatcher_requests_active',
    'Requests not yet answered to the end.',
    (stats) => stats.runningCount,
  ),
  gauge(
    'dispatcher_requests_waiting',
    'Requests that wait for discovery.',
    (stats) => stats.waitingCount,
  ),
  gauge(
    'dispatcher_requests_queued',
    'Tries that wait for a connection.',
    (stats) => stats.pendingCount,
  ),
  gauge('dispatcher_connections', 'Open connections.', (stats) => stats.connectionCount),
  gauge(
    'dispatcher_retry_budget',
    'Retries and hedges that the budget would allow now.',
    (stats) => stats.retryBudget,
  ),
  counter(
    'dispatcher_hedges_total',
    'Tries beside one that was late.',
    (stats) => stats.hedgeCount,
  ),
  counter(
    'dispatcher_hedge_wins_total',
    'Hedges that answered first.',
    (stats) => stats.hedgeWinCount,
  ),
  counter(
    'dispatcher_hedges_refused_total',
    'Hedges that the budget refused.',
    (stats) => stats.hedgeRefusedCount,
  ),
  counter(
    'dispatcher_deadlines_exceeded_total',
    'Requests that ended because their deadline passed.',
    (stats) => stats.deadlineCount,
  ),
  counter(
    'dispatcher_admission_refusals_total',
    'Requests, tries and waits that the admission of the cluster refused.',
    (stats) => stats.admissionRefusedCount,
  ),
  counter(
    'dispatcher_fallbacks_total',
    'Requests that a fallback answered.',
    (stats) => stats.fallbackCount,
  ),
];

/** Counters with one label more. A cluster that counts nothing of the kind has no such series. */
interface LabelledFamily {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  readonly read: (stats: DispatcherClusterStats) => Readonly<Record<string, number>>;
}

const LABELLED: readonly LabelledFamily[] = [
  {
    name: 'dispatcher_retry_verdicts_total',
    help: 'Failed tries by what was said about another one: retry, or why not.',
    label: 'verdict',
    read: (stats) => stats.retryVerdicts,
  },
  {
    name: 'dispatcher_affinity_visits_total',
    help: 'Requests by what their affinity cookie was worth.',
    label: 'status',
    read: (stats) => stats.affinity?.visits ?? {},
  },
  {
    name: 'dispatcher_affinity_picks_total',
    help: 'Tries of requests with a valid affinity cookie: kept at its endpoint, or moved.',
    label: 'result',
    read: ({ affinity }) =>
      affinity === undefined ? {} : { kept: affinity.keptCount, moved: affinity.movedCount },
  },
];

/**
 * Exposes dispatchers to Prometheus through prom-client, read when somebody scrapes.
 *
 * @example createDispatcherMetrics({ dispatchers: [dispatcher], registry: metrics.registry });
 * @throws ConfigError for a bad prefix
 * @throws Error of prom-client when the registry already has metrics under these names
 */
export function createDispatcherMetrics(options: DispatcherMetricsOptions = {}): DispatcherMetrics {
  const { dispatchers = [], registry = new Registry(), prefix = 'evenkeel' } = options;
  if (!/^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/.test(prefix)) {
    throw configError(
      'prefix',
      "up to 64 letters, digits or '_', not beginning with a digit",
      prefix,
    );
  }
  const metered = new Set(dispatchers);
  const names: string[] = [];
  const close = (): void => {
    metered.clear();
    for (const name of names.splice(0)) registry.removeSingleMetric(name);
  };
  const exposure = { metered, prefix, registry: registry as Registry };
  try {
    for (const family of LABELLED) names.push(exposeLabelled(family, exposure));
    for (const family of FAMILIES) names.push(expose(family, exposure));
  } catch (error) {
    // Half of the metrics would be worse than none.
    close();
    throw error;
  }
  return {
    registry,
    add: (dispatcher) => void metered.add(dispatcher),
    remove: (dispatcher) => void metered.delete(dispatcher),
    close,
  };
}

interface Exposure {
  readonly metered: ReadonlySet<MeteredDispatcher>;
  readonly prefix: string;
  readonly registry: Registry;
}

function counter(name: string, help: string, read: Family['read']): Family {
  return { name, type: 'counter', help, read };
}

function gauge(name: string, help: string, read: Family['read']): Family {
  return { name, type: 'gauge', help, read };
}

/** @returns the full name */
function expose(family: Family, { metered, prefix, registry }: Exposure): string {
  const name = `${prefix}_${family.name}`;
  const { help, read } = family;
  const shared = { name, help, labelNames: ['cluster'], registers: [registry] };
  // Added up, both of them: one cluster may stand under several dispatchers.
  const Metric = family.type === 'counter' ? Counter : Gauge;
  new Metric({
    ...shared,
    collect(this: Counter | Gauge) {
      this.reset();
      for (const stats of clustersOf(metered)) this.inc({ cluster: stats.cluster }, read(stats));
    },
  });
  return name;
}

/** @returns the full name */
function exposeLabelled(
  { name: shortName, help, label, read }: LabelledFamily,
  { metered, prefix, registry }: Exposure,
): string {
  const name = `${prefix}_${shortName}`;
  new Counter({
    name,
    help,
    labelNames: ['cluster', label],
    registers: [registry],
    collect() {
      this.reset();
      for (const stats of clustersOf(metered)) {
        for (const [value, count] of Object.entries(read(stats)))
          this.inc({ cluster: stats.cluster, [label]: value }, count);
      }
    },
  });
  return name;
}

function* clustersOf(
  dispatchers: ReadonlySet<MeteredDispatcher>,
): Generator<DispatcherClusterStats, void, undefined> {
  for (const { stats } of dispatchers) yield* stats.clusters;
}
