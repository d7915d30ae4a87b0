import { Counter, Gauge, type Registry } from 'prom-client';
import { DurationHistogram } from './duration-histogram.ts';
import { DURATION_HISTOGRAM, FAMILIES } from './families.ts';
import type { Family } from './family.ts';
import type { MeterSet } from './meter-set.ts';

/** What goes where. */
export interface Registration {
  readonly registry: Registry;
  readonly prefix: string;
  readonly meters: MeterSet;
}

/** Puts all metrics into a registry, or none. @returns their names */
export function register({ registry, prefix, meters }: Registration): string[] {
  const names: string[] = [];
  try {
    names.push(registerHistogram({ registry, prefix, meters }));
    for (const family of FAMILIES) names.push(registerFamily(family, { registry, prefix, meters }));
    return names;
  } catch (error) {
    // Half of the metrics would be worse than none.
    for (const name of names) registry.removeSingleMetric(name);
    meters.close();
    throw error;
  }
}

function registerHistogram({ registry, prefix, meters }: Registration): string {
  const name = `${prefix}_${DURATION_HISTOGRAM.name}`;
  new DurationHistogram({ name, help: DURATION_HISTOGRAM.help, registry }, () =>
    meters.read().map(({ snapshot }) => ({ cluster: snapshot.name, latency: snapshot.latency })),
  );
  return name;
}

function registerFamily(family: Family, { registry, prefix, meters }: Registration): string {
  const name = `${prefix}_${family.name}`;
  const labelNames = ['cluster', ...family.labels];
  const { help, aggregator } = family;
  const collect = (set: (labels: Record<string, string>, value: number) => void): void => {
    for (const reading of meters.read()) {
      family.read(reading, (value, ...labelValues) => {
        set(labelsOf(labelNames, [reading.snapshot.name, ...labelValues]), value);
      });
    }
  };
  if (family.type === 'counter') {
    new Counter({
      name,
      help,
      aggregator,
      labelNames,
      registers: [registry],
      // Counters of prom-client can only be raised; starting over at every scrape makes them show what was read.
      collect() {
        this.reset();
        collect((labels, value) => this.inc(labels, value));
      },
    });
  } else {
    new Gauge({
      name,
      help,
      aggregator,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        collect((labels, value) => this.set(labels, value));
      },
    });
  }
  return name;
}

function labelsOf(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}
