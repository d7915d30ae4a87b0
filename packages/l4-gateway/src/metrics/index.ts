/** `@evenkeel/l4-gateway/metrics`: Prometheus metrics of a gateway. Needs the package `prom-client`. */
import { ConfigError } from '@evenkeel/core';
import type { MetricsRegistry } from '@evenkeel/core/metrics';
import { Counter, Gauge, Registry } from 'prom-client';
import { FAMILIES } from './families.ts';
import type { Family } from './family.ts';
import { type GatewayReading, type MeteredGateway, readGateway } from './reading.ts';

export type { MeteredGateway } from './reading.ts';

export interface GatewayMetricsOptions {
  readonly gateway: MeteredGateway;
  /** Where the metrics are registered. Default: a registry of their own. */
  readonly registry?: MetricsRegistry | undefined;
  /** First word of every name: letters, digits and `_`. Default `evenkeel`. */
  readonly prefix?: string | undefined;
  /** How many reals, over all VIPs, have series of their own (three each). 0..16,384, default 1,000. */
  readonly maxReals?: number | undefined;
}

/** Metrics of a gateway, live until {@link GatewayMetrics.close}. */
export interface GatewayMetrics {
  readonly registry: MetricsRegistry;
  /** Takes everything out of the registry again. Idempotent. */
  close(): void;
}

/** Every metric, for documentation. */
export const GATEWAY_METRICS: readonly {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
}[] = FAMILIES.map(({ name, type, help, labels }) => ({ name, type, help, labels }));

const MAX_REALS = 16_384;

/**
 * Exposes a gateway to Prometheus. Nothing is done per packet: a scrape reads what the program counts anyway.
 *
 * @throws ConfigError for a bad prefix or limit; Error of prom-client when the registry has metrics of these names
 */
export function createGatewayMetrics(options: GatewayMetricsOptions): GatewayMetrics {
  const { gateway, registry = new Registry(), prefix = 'evenkeel', maxReals = 1_000 } = options;
  assertPrefix(prefix);
  if (!(Number.isInteger(maxReals) && maxReals >= 0 && maxReals <= MAX_REALS)) {
    throw issue('maxReals', `an integer from 0 to ${MAX_REALS}`, maxReals);
  }
  let reading: GatewayReading | undefined;
  // A registry asks all its metrics in one go, so one reading serves until the running code yields.
  const read = (): GatewayReading => {
    if (reading === undefined) {
      reading = readGateway(gateway, maxReals);
      void Promise.resolve().then(() => (reading = undefined));
    }
    return reading;
  };
  const names: string[] = [];
  const close = (): void => {
    for (const name of names.splice(0)) registry.removeSingleMetric(name);
  };
  try {
    for (const family of FAMILIES) {
      register(family, { registry: registry as Registry, prefix, read });
      names.push(`${prefix}_${family.name}`);
    }
  } catch (error) {
    close();
    throw error;
  }
  return { registry, close };
}

interface Place {
  readonly registry: Registry;
  readonly prefix: string;
  readonly read: () => GatewayReading;
}

function register(family: Family, { registry, prefix, read }: Place): void {
  const { help, labels } = family;
  const common = { name: `${prefix}_${family.name}`, help, labelNames: [...labels] };
  const each = (set: (labels: Record<string, string>, value: number) => void): void =>
    family.read(read(), (value, ...values) => {
      set(
        Object.fromEntries(labels.map((name, index) => [name, values[index] ?? ''])),
        Number(value),
      );
    });
  if (family.type === 'counter') {
    new Counter({
      ...common,
      registers: [registry],
      // Counters of prom-client can only be raised; starting over at every scrape makes them show what was read.
      collect() {
        this.reset();
        each((set, value) => this.inc(set, value));
      },
    });
  } else {
    new Gauge({
      ...common,
      registers: [registry],
      collect() {
        this.reset();
        each((set, value) => this.set(set, value));
      },
    });
  }
}

function assertPrefix(prefix: string): void {
  if (/^[a-zA-Z_]\w{0,63}$/u.test(prefix)) return;
  throw issue('prefix', "up to 64 letters, digits or '_', not beginning with a digit", prefix);
}

function issue(path: string, expected: string, actual: unknown): ConfigError {
  return new ConfigError([{ path, expected, actual: JSON.stringify(actual) }]);
}
