import { Counter, Gauge, Registry } from 'prom-client';
import { configError } from '../../error/config-error.ts';
import type { MetricsRegistry } from './metrics.ts';

/** What metrics use of a registration: what `register()` returns has it. */
export interface MeteredRegistration {
  readonly id: string;
  readonly service: string;
  status(): {
    readonly kind: string;
    readonly state: 'announcing' | 'announced' | 'closed';
    readonly health: 'healthy' | 'degraded' | 'unhealthy';
    readonly sinceSuccessMs: number | undefined;
    readonly beatCount: number;
    readonly errorCount: number;
    readonly lostCount: number;
  };
}

export interface RegistrationMetricsOptions {
  /** Registrations to begin with. */
  readonly registrations?: readonly MeteredRegistration[] | undefined;
  /** Where the metrics are registered. Default: a registry of their own. */
  readonly registry?: MetricsRegistry | undefined;
  /** First word of every name: letters, digits and `_`, not beginning with a digit. Default `evenkeel`. */
  readonly prefix?: string | undefined;
}

/** Metrics of registrations, live until {@link RegistrationMetrics.close}. */
export interface RegistrationMetrics {
  readonly registry: MetricsRegistry;
  add(registration: MeteredRegistration): void;
  remove(registration: MeteredRegistration): void;
  /** Takes everything out of the registry again. Idempotent. */
  close(): void;
}

type Status = ReturnType<MeteredRegistration['status']>;

/** A metric, and its value for one registration; undefined: no series. */
interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly read: (status: Status) => number | undefined;
}

const FAMILIES: readonly Family[] = [
  {
    name: 'registration_announced',
    type: 'gauge',
    help: '1 while the registry has the announcement of this instance, as far as we know, otherwise 0.',
    read: ({ state }) => Number(state === 'announced'),
  },
  {
    name: 'registration_healthy',
    type: 'gauge',
    help: '1 while this instance says that it is healthy, 0.5 degraded, 0 unhealthy.',
    read: ({ health }) => (health === 'healthy' ? 1 : health === 'degraded' ? 0.5 : 0),
  },
  {
    name: 'registration_last_success_age_seconds',
    type: 'gauge',
    help: 'Time since the registry last answered an announcement or a heartbeat; absent before the first.',
    read: ({ sinceSuccessMs }) =>
      sinceSuccessMs === undefined ? undefined : Math.max(0, sinceSuccessMs) / 1000,
  },
  {
    name: 'registration_heartbeats_total',
    type: 'counter',
    help: 'Heartbeats that got through.',
    read: ({ beatCount }) => beatCount,
  },
  {
    name: 'registration_errors_total',
    type: 'counter',
    help: 'Announcements and heartbeats that failed.',
    read: ({ errorCount }) => errorCount,
  },
  {
    name: 'registration_losses_total',
    type: 'counter',
    help: 'Times that the registry had lost this instance, and it was announced again.',
    read: ({ lostCount }) => lostCount,
  },
];

const LABELS = ['service', 'instance_id', 'registry'] as const;

/**
 * Exposes registrations to Prometheus through prom-client, read when somebody scrapes.
 *
 * @example createRegistrationMetrics({ registrations: [registration], registry: metrics.registry });
 * @throws ConfigError for a bad prefix
 * @throws Error of prom-client when the registry already has metrics under these names
 */
export function createRegistrationMetrics(
  options: RegistrationMetricsOptions = {},
): RegistrationMetrics {
  const { registrations = [], registry = new Registry(), prefix = 'evenkeel' } = options;
  if (!/^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/.test(prefix)) {
    throw configError(
      'prefix',
      "up to 64 letters, digits or '_', not beginning with a digit",
      prefix,
    );
  }
  const metered = new Set(registrations);
  const names: string[] = [];
  const close = (): void => {
    metered.clear();
    for (const name of names.splice(0)) registry.removeSingleMetric(name);
  };
  try {
    for (const family of FAMILIES) {
      names.push(expose(family, { metered, prefix, registry: registry as Registry }));
    }
  } catch (error) {
    // Half of the metrics would be worse than none.
    close();
    throw error;
  }
  return {
    registry,
    add: (registration) => void metered.add(registration),
    remove: (registration) => void metered.delete(registration),
    close,
  };
}

interface Exposure {
  readonly metered: ReadonlySet<MeteredRegistration>;
  readonly prefix: string;
  readonly registry: Registry;
}

/** @returns the full name */
function expose(family: Family, { metered, prefix, registry }: Exposure): string {
  const { help, type, read } = family;
  const name = `${prefix}_${family.name}`;
  const shared = { name, help, labelNames: LABELS, registers: [registry] };
  const collect = (set: (labels: Record<string, string>, value: number) => void): void => {
    for (const { id, service, status } of metered.values().map(reading)) {
      const value = read(status);
      if (value !== undefined) set({ service, instance_id: id, registry: status.kind }, value);
    }
  };
  if (type === 'counter') {
    new Counter({
      ...shared,
      collect() {
        this.reset();
        collect((labels, value) => this.inc(labels, value));
      },
    });
  } else {
    new Gauge({
      ...shared,
      collect() {
        this.reset();
        collect((labels, value) => this.set(labels, value));
      },
    });
  }
  return name;
}

function reading(registration: MeteredRegistration): {
  readonly id: string;
  readonly service: string;
  readonly status: Status;
} {
  const { id, service } = registration;
  return { id, service, status: registration.status() };
}
