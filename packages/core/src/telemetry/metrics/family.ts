/** What a metric is made of. */
import type { ClusterReading } from './cluster-meter.ts';

/** A metric with labels, told by what a cluster looks like when it is scraped. */
export interface Family {
  /** Without the prefix. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** Labels besides `cluster`, which all have. */
  readonly labels: readonly string[];
  /**
   * How the values of several processes are joined by prom-client's `AggregatorRegistry`: added up, or, where every
   * process describes the same thing, the largest.
   */
  readonly aggregator: 'sum' | 'max';
  readonly read: (reading: ClusterReading, emit: Emit) => void;
}

/** Takes one value; the label values stand in the order of {@link Family.labels}. */
export type Emit = (value: number, ...labelValues: readonly string[]) => void;

/** What the kinds of metrics do not have in common. */
export interface FamilyParts {
  readonly labels?: readonly string[];
  readonly read: Family['read'];
}

/** A number that only grows. */
export function counter(name: string, help: string, { labels = [], read }: FamilyParts): Family {
  return { name, type: 'counter', help, labels, aggregator: 'sum', read };
}

/** A number of the moment. */
export function gauge(name: string, help: string, { labels = [], read }: FamilyParts): Family {
  return { name, type: 'gauge', help, labels, aggregator: 'max', read };
}
