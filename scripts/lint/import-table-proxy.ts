/** Who may import whom in `packages/proxy`; a part of `import-table.ts`. */
import type { ImportRow } from './import-table.ts';

const CORE = ['@evenkeel/core', '@evenkeel/core/resilience', '@evenkeel/core/schema'] as const;

export const proxyImports: readonly ImportRow[] = [
  {
    folder: '.',
    may: [
      'config',
      'engine/counters.ts',
      'engine/refusal.ts',
      'observability/proxy-stats.ts',
      'observability/route-meter.ts',
      'proxy',
      'tcp/tcp-counters.ts',
      'udp/udp-counters.ts',
    ],
    packages: [],
    note: 'the entry',
  },
  {
    folder: 'proxy',
    may: [
      'config',
      'engine',
      'http1',
      'listener',
      'observability',
      'route',
      'socket',
      'tcp',
      'tls',
      'udp',
    ],
    packages: [...CORE],
    note: 'joins the parts',
  },
  {
    folder: 'tls',
    may: ['config/tls-options.ts', 'socket/secure-target.ts'],
    packages: ['node:crypto', 'node:fs/promises', 'node:net', 'node:tls', ...CORE],
    note: 'certificates and keys: read, checked, replaced as a whole',
  },
  {
    folder: 'http1',
    may: ['socket/output.ts'],
    packages: [],
    note: 'the wire format: bytes in, offsets out; no sockets, no time',
  },
  { folder: 'runtime', may: [], packages: [], note: 'the only place with Date' },
  { folder: 'socket', may: [], packages: ['node:net', 'node:tls', '@evenkeel/core'] },
  {
    folder: 'engine',
    may: [
      'http1',
      'observability/access-log.ts',
      'observability/route-meter.ts',
      'runtime',
      'socket',
    ],
    packages: ['node:http', 'node:net', '@evenkeel/core', '@evenkeel/core/resilience'],
    note: 'connections and exchanges: one request from its first byte to its last',
  },
  {
    folder: 'route',
    may: [
      'config/route-schema.ts',
      'engine/local-answer.ts',
      'engine/route.ts',
      'observability/route-meter.ts',
    ],
    packages: ['node:net', 're2js', ...CORE, '@evenkeel/core/algorithm'],
    note: 'finds and compiles routes; knows no connection',
  },
  {
    folder: 'observability',
    may: ['engine/counters.ts', 'engine/route.ts', 'runtime'],
    packages: ['node:fs', ...CORE],
    note: 'what is counted and told of requests',
  },
  {
    folder: 'observability/metrics',
    may: ['engine/counters.ts', 'observability'],
    packages: ['prom-client', ...CORE],
    note: 'an entry of its own: nothing else may load prom-client',
  },
  {
    folder: 'config',
    may: ['engine/host.ts', 'http1', 'observability/access-log', 'route'],
    packages: ['node:net', 'zod', ...CORE],
    note: 'what users write, checked',
  },
  {
    folder: 'proxy-protocol',
    may: [],
    packages: ['node:net'],
    note: 'the wire format: bytes in, a client out; no sockets',
  },
  {
    folder: 'listener',
    may: ['engine', 'proxy-protocol', 'socket', 'tls'],
    packages: ['node:events', 'node:net', 'node:tls', ...CORE],
  },
  {
    folder: 'tcp',
    may: ['socket/sweeper.ts', 'tls/server-name-index.ts'],
    packages: ['node:events', 'node:net', '@evenkeel/core', '@evenkeel/core/resilience'],
    note: 'connections passed on as they are',
  },
  {
    folder: 'udp',
    may: ['socket/sweeper.ts', 'tcp/claim.ts'],
    packages: ['node:dgram', 'node:events', 'node:net', '@evenkeel/core'],
    note: 'datagrams passed on as they are',
  },
  {
    folder: 'http2',
    may: ['http1', 'socket'],
    packages: ['@evenkeel/core'],
    note: 'sessions of HTTP/2: frames, HPACK, flow control; and streams that speak HTTP/1.1 to the engine',
  },
  {
    folder: 'filter',
    may: ['engine/route.ts'],
    packages: ['node:*', 'zod', 'jose', 'undici', ...CORE, '@evenkeel/core/undici'],
    note: 'a folder each; they know requests and responses, not connections',
  },
];
