/** Metrics of how a proxy stands: configuration, drain, certificates. */
import { type Family, familiesOf, type ProxyReading } from './family.ts';
import type { MeteredFileStatus } from './metered.ts';

const ofProxy = familiesOf(({ proxy }) => proxy);

export const STATE_FAMILIES: readonly Family[] = [
  ofProxy('proxy_draining', 'Proxies that are draining or closing.', {
    type: 'gauge',
    read: ({ isDraining }, emit) => emit(isDraining === true ? 1 : 0),
  }),
  perFile('proxy_config_generation', 'Files that have come into force, the first included.', {
    read: ({ generation }) => generation,
  }),
  perFile('proxy_config_last_reload_successful', 'Is the file as it is now in force? 1 or 0.', {
    read: ({ lastError }) => (lastError === undefined ? 1 : 0),
  }),
  perFile('proxy_config_applied_timestamp_seconds', 'When the file in force was applied.', {
    read: ({ appliedAtMs }) => appliedAtMs / 1_000,
  }),
  {
    name: 'proxy_tls_certificate_expiry_timestamp_seconds',
    type: 'gauge',
    help: 'When certificates that listeners show end, by their first name; the earliest of a name.',
    labels: ['name'],
    read: (reading, emit) => {
      for (const [name, endsAtMs] of soonest(reading)) emit(endsAtMs / 1_000, name);
    },
  },
];

/** Those of more certificates are shown for the ones that end first: they are what somebody has to look at. */
const MAX_CERTIFICATES = 200;

function soonest({ certificates }: ProxyReading): readonly (readonly [string, number])[] {
  const ends = new Map<string, number>();
  for (const { names, validTo } of certificates) {
    const name = names[0] ?? '';
    ends.set(name, Math.min(ends.get(name) ?? Infinity, validTo.getTime()));
  }
  return [...ends].sort(([, a], [, b]) => a - b).slice(0, MAX_CERTIFICATES);
}

function perFile(
  name: string,
  help: string,
  { read }: { readonly read: (status: MeteredFileStatus) => number },
): Family {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['file'],
    read: ({ files }, emit) => {
      for (const status of files) emit(read(status), status.path);
    },
  };
}
