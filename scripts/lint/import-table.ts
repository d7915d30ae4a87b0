/**
 * Who may import whom inside a package: the one source of the rule.
 *
 * `oxlint.config.ts` turns every row into lint rules, CONTRIBUTING.md prints `renderImportTable()`,
 * and `test/lint-rules.test.ts` proves that the rules bite and that the printed table is current.
 * A folder without a row fails the lint run: a new folder starts with a decision about its imports.
 */

import { bpfImports } from './import-table-bpf.ts';
import { l4GatewayImports } from './import-table-l4-gateway.ts';
import { proxyImports } from './import-table-proxy.ts';

/** One folder below `packages/<package>/src/` and everything its files may import from outside it. */
export interface ImportRow {
  /** Folder, relative to the package's `src/`; a nested folder wins over its parent. */
  readonly folder: string;
  /** Folders (`model`) or single files (`cluster/cluster.ts`) of the same package. */
  readonly may: readonly string[];
  /** Packages and Node built-ins: exact names, or `node:*` for any built-in. */
  readonly packages: readonly string[];
  /** Printed in the table and in the lint message when it says more than the lists do. */
  readonly note?: string;
  /** A policy must not know its siblings: sub-folders are closed to each other. */
  readonly closedSubfolders?: boolean;
  /** Of a nested folder: it may use its siblings, which are closed to it otherwise. */
  readonly openSubfolders?: boolean;
}

const BASE = ['model', 'error', 'algorithm', 'runtime', 'schema'] as const;
/** What code outside the cluster sees of it: contracts only, so nothing is pulled in by using them. */
const CLUSTER_FACE = 'cluster/face.ts';
/** A transport decodes its options, keeps a retry budget and reports events; the rest is the cluster's. */
const CLIENT = [
  'model',
  'error',
  'runtime',
  'schema',
  'resilience',
  'affinity',
  'load-report/read-load-report.ts',
  'telemetry/events.ts',
  CLUSTER_FACE,
] as const;

const coreImports: readonly ImportRow[] = [
  {
    folder: '.',
    may: [
      ...BASE,
      'load-report/load-report.ts',
      'policy',
      'topology',
      'health',
      'resilience',
      'discovery',
      'registration',
      'config',
      'cluster',
      'affinity',
      'telemetry/events.ts',
      'telemetry/logger.ts',
    ],
    packages: [],
    note: 'the main entry: nothing that needs an optional peer',
  },
  { folder: 'error', may: [], packages: [], note: 'imports nothing' },
  {
    folder: 'algorithm',
    may: [],
    packages: ['node:crypto'],
    note: 'pure maths on numbers, strings and arrays',
  },
  { folder: 'model', may: ['error'], packages: ['node:net'] },
  {
    folder: 'schema',
    may: ['error'],
    packages: ['zod'],
    note: 'how a raw value becomes a checked one',
  },
  {
    folder: 'runtime',
    may: ['error', 'algorithm'],
    packages: ['node:*'],
    note: 'the only place with Date, Math.random, performance and timers',
  },
  {
    folder: 'load-report',
    may: [...BASE],
    packages: ['node:*', 'zod'],
    note: 'what servers tell about their load: decoding it, and the ready-made server side',
  },
  {
    folder: 'policy',
    may: [...BASE, 'load-report/load-report.ts'],
    packages: ['zod'],
    note: 'policy/<a> never imports policy/<b>: children arrive by registry or constructor',
    closedSubfolders: true,
  },
  {
    folder: 'probing',
    may: [...BASE, 'load-report', 'policy/probing.ts', 'health/active/target.ts'],
    packages: ['node:*', 'zod'],
    note: 'asks servers for their load on behalf of a policy',
  },
  { folder: 'topology', may: [...BASE], packages: ['zod'] },
  { folder: 'health', may: [...BASE], packages: ['node:*', 'zod'] },
  { folder: 'resilience', may: [...BASE], packages: ['zod'] },
  {
    folder: 'resilience/circuit-breaker',
    may: [...BASE, 'resilience'],
    packages: ['node:events', 'opossum', 'zod'],
    note: 'an entry of its own: nothing else may load opossum',
  },
  { folder: 'discovery', may: [...BASE], packages: ['node:*', 'yaml', 'zod'] },
  {
    folder: 'discovery/etcd',
    may: [...BASE, 'discovery', 'cluster/create-cluster.ts', CLUSTER_FACE],
    packages: ['node:*', 'zod'],
    note: 'an entry of its own, so that the members of etcd can be a cluster of ours',
    openSubfolders: true,
  },
  {
    folder: 'discovery/zookeeper',
    may: [...BASE, 'discovery'],
    packages: ['node:*', 'node-zookeeper-client', 'zod'],
    note: 'an entry of its own: nothing else may load node-zookeeper-client',
    openSubfolders: true,
  },
  {
    folder: 'registration',
    may: [...BASE, 'discovery'],
    packages: ['node:*', 'zod'],
    note: 'of discovery the clients of the registries',
  },
  {
    folder: 'entry',
    may: [...BASE, 'discovery', 'registration'],
    packages: [],
    note: 'entries of the package that join several folders: one per registry',
  },
  {
    folder: 'config',
    may: ['model', 'error', 'schema', 'policy', 'topology', 'health', 'resilience', 'discovery'],
    packages: ['yaml', 'zod'],
    note: 'schemas of the whole, put together from the schemas of the parts',
  },
  { folder: 'telemetry', may: ['model', 'error', 'runtime'], packages: ['node:*'] },
  {
    folder: 'telemetry/metrics',
    may: ['model', 'error', 'runtime', 'telemetry', CLUSTER_FACE],
    packages: ['prom-client'],
    note: "reads the cluster's public face",
  },
  {
    folder: 'cluster',
    may: [
      ...BASE,
      'load-report',
      'probing',
      'policy',
      'topology',
      'health',
      'resilience',
      'discovery',
      'config',
      'telemetry',
    ],
    packages: ['node:*', 'zod'],
    note: 'composes everything below it',
  },
  {
    folder: 'affinity',
    may: ['model', 'error', 'runtime', 'schema', 'topology/subset.ts', CLUSTER_FACE],
    packages: ['node:crypto', 'zod'],
    note: 'what clients and proxies share to find and keep the endpoint of a request',
  },
  {
    folder: 'client',
    may: [...CLIENT],
    packages: ['node:*', 'zod'],
    note: 'of the cluster only its public face',
    closedSubfolders: true,
  },
  {
    folder: 'client/undici',
    may: [...CLIENT],
    packages: ['node:*', 'undici', 'zod'],
    note: 'of the cluster only its public face',
  },
  {
    folder: 'testing',
    may: [
      ...BASE,
      'load-report',
      'policy',
      'topology',
      'health',
      'resilience',
      'discovery',
      'config',
      'cluster',
      'affinity',
    ],
    packages: ['node:*', 'zod'],
    note: 'imported by tests, benches and users, never by src',
  },
];

/** The rows of each package that has source, by the package's folder name. */
export const importTables: Readonly<Record<string, readonly ImportRow[]>> = {
  core: coreImports,
  bpf: bpfImports,
  'l4-gateway': l4GatewayImports,
  proxy: proxyImports,
};

/** The table as CONTRIBUTING.md prints it. */
export function renderImportTable(rows: readonly ImportRow[]): string {
  const code = (names: readonly string[]): string =>
    names.length === 0 ? 'nothing' : names.map((name) => `\`${name}\``).join(', ');
  const lines = rows.map(
    (row) => `| \`${row.folder}\` | ${code(row.may)} | ${code(row.packages)} | ${row.note ?? ''} |`,
  );
  return [
    '| folder | may import (besides itself) | packages | rule |',
    '| --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}
