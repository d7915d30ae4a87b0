import type { GatewayReading } from './reading.ts';

/** One metric: its name without the prefix, what it means, and where its values come from. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: (reading: GatewayReading, emit: Emit) => void;
}

/** Takes one value; the label values stand in the order of {@link Family.labels}. */
export type Emit = (value: number | bigint, ...labelValues: readonly string[]) => void;

interface Parts {
  readonly labels?: readonly string[];
  readonly read: Family['read'];
}

/** A number that only grows. */
export function counter(name: string, help: string, { labels = [], read }: Parts): Family {
  return { name, type: 'counter', help, labels, read };
}

/** A number of the moment. */
export function gauge(name: string, help: string, { labels = [], read }: Parts): Family {
  return { name, type: 'gauge', help, labels, read };
}
