/** What a metric is made of: its name, and where its values are. */
import type { ProxyStats } from '../proxy-stats.ts';
import type { RouteSeries } from './route-series.ts';
import type { MeteredCertificate, MeteredFileStatus, MeteredProxy } from './metered.ts';

/** One proxy at the moment of a scrape. */
export interface ProxyMoment {
  readonly proxy: MeteredProxy;
  readonly stats: ProxyStats;
}

/** All proxies at the moment of a scrape. */
export interface ProxyReading {
  readonly moments: readonly ProxyMoment[];
  readonly series: readonly RouteSeries[];
  readonly certificates: readonly MeteredCertificate[];
  readonly files: readonly MeteredFileStatus[];
}

/** Takes one value; the label values stand in the order of {@link Family.labels}. Values of equal labels add up. */
export type Emit = (value: number, ...labelValues: readonly string[]) => void;

export interface Family {
  /** Without the prefix. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: (reading: ProxyReading, emit: Emit) => void;
}

/** What a family of one kind of counts is read from, and how. */
export interface FamilyParts<Source> {
  readonly type?: Family['type'];
  readonly labels?: readonly string[];
  readonly read: (source: Source, emit: Emit) => void;
}

/** Makes families of what one part of each proxy counts. @returns undefined for a part that a proxy has not */
export function familiesOf<Source>(
  sourceOf: (moment: ProxyMoment) => Source | undefined,
): (name: string, help: string, parts: FamilyParts<Source>) => Family {
  return (name, help, { type = 'counter', labels = [], read }) => ({
    name,
    type,
    help,
    labels,
    read: ({ moments }, emit) => {
      for (const moment of moments) {
        const source = sourceOf(moment);
        if (source !== undefined) read(source, emit);
      }
    },
  });
}
