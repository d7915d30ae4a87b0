/** What clients do about trouble besides choosing well: retries, hedges, limits, affinity. */
import type { ScenarioOptions } from '../scenario/scenario.ts';
import { hetero, homo } from './uneven.ts';

export type ResilienceScenarioName =
  | 'per-try-timeout'
  | 'hedging'
  | 'thresholds'
  | 'gradient2'
  | 'vegas'
  | 'aimd'
  | 'client-throttle'
  | 'circuit-breaker'
  | 'rate-limit'
  | 'load-shedding'
  | 'load-reports'
  | 'probes'
  | 'affinity-ring'
  | 'affinity-maglev'
  | 'affinity-cookie';

const SHORT = { warmUpMs: 2_000, durationMs: 6_000 } as const;

/** Everyone who limits anything meets the same: half as much again as the servers can do, for 8 s. */
const TOO_MUCH: Omit<ScenarioOptions, 'name'> = {
  servers: [{ count: 20 }],
  clients: 5,
  load: [
    { atMs: 0, percent: 70 },
    { atMs: 2_000, percent: 150 },
    { atMs: 10_000, percent: 70 },
  ],
  warmUpMs: 2_000,
  durationMs: 12_000,
};

/** Two servers are lost, and come back after 4 s. */
const SESSIONS: Omit<ScenarioOptions, 'name'> = {
  clients: 5,
  servers: [{ count: 20 }],
  load: 50,
  keyCount: 2_000,
  warmUpMs: 2_000,
  durationMs: 12_000,
  faults: [{ kind: 'refuse', servers: { count: 2 }, fromMs: 5_000, untilMs: 9_000 }],
  retry: { attempts: 2 },
};
const HEALTH = { http: { intervalMs: 500, timeoutMs: 200, rise: 1, fall: 1 } } as const;

export const resilienceScenarios: Readonly<Record<ResilienceScenarioName, ScenarioOptions>> = {
  'per-try-timeout': {
    ...homo,
    ...SHORT,
    name: 'per-try-timeout',
    description: 'one of 50 servers hangs; an attempt may take 150 ms of the second that there is',
    load: 50,
    faults: [{ kind: 'black-hole', servers: { count: 1 } }],
    retry: { attempts: 2, perTryMs: 150 },
    // Nobody avoids it: what remains is the time limit.
    cluster: { policy: 'round-robin', outlierDetection: false },
  },
  hedging: {
    ...hetero,
    ...SHORT,
    name: 'hedging',
    description: 'as hetero at 60 %, least request with a hedge after the 95th percentile',
    load: 60,
    hedge: { percentile: 95 },
    cluster: { policy: 'least-request' },
  },
  thresholds: {
    ...TOO_MUCH,
    name: 'thresholds',
    description: '20 servers at 150 % for 8 s; a client may have 40 requests in flight',
    cluster: { admission: { thresholds: { requests: 40 } } },
  },
  gradient2: {
    ...TOO_MUCH,
    name: 'gradient2',
    description: 'the same; the limit is found by Gradient2',
    cluster: { admission: { concurrency: { algorithm: 'gradient2' } } },
  },
  vegas: {
    ...TOO_MUCH,
    name: 'vegas',
    description: 'the same; the limit is found by Vegas',
    cluster: { admission: { concurrency: { algorithm: 'vegas' } } },
  },
  aimd: {
    ...TOO_MUCH,
    name: 'aimd',
    description: 'the same; servers refuse what is above 12 requests, the limit is found by AIMD',
    servers: [{ count: 20, maxRequests: 12 }],
    cluster: { admission: { concurrency: { algorithm: 'aimd' } } },
  },
  'client-throttle': {
    ...TOO_MUCH,
    name: 'client-throttle',
    description: '10 servers that refuse what is above 12 requests, at 400 % for 8 s',
    servers: [{ count: 10, maxRequests: 12 }],
    load: [
      { atMs: 0, percent: 70 },
      { atMs: 2_000, percent: 400 },
      { atMs: 10_000, percent: 70 },
    ],
    durationMs: 15_000,
    cluster: {
      outlierDetection: false,
      admission: { clientThrottle: { windowMs: 2_000 } },
    },
  },
  'circuit-breaker': {
    name: 'circuit-breaker',
    description:
      'one of 20 servers fails for 8 s, and each client has a circuit breaker for every server',
    clients: 5,
    servers: [{ count: 20 }],
    load: 50,
    warmUpMs: 0,
    durationMs: 14_000,
    faults: [{ kind: 'fail-fast', servers: { count: 1 }, fromMs: 2_000, untilMs: 10_000 }],
    // Round robin avoids nobody by itself.
    cluster: {
      policy: 'round-robin',
      outlierDetection: false,
      admission: {
        // A window of a second: what went well before must not outweigh the failures for long.
        circuitBreaker: { endpoint: { windowMs: 1_000, minRequests: 10, openMs: 1_000 } },
      },
    },
  },
  'rate-limit': {
    ...TOO_MUCH,
    name: 'rate-limit',
    description: '20 servers at 150 % for 8 s; each of 5 clients may send a fifth of 95 %',
    cluster: { admission: { rateLimit: { requestsPerSecond: 1_520, burst: 50 } } },
  },
  'load-shedding': {
    ...TOO_MUCH,
    name: 'load-shedding',
    description: '20 servers at 150 % for 8 s; 60 % of the requests are of low criticality',
    lowPercent: 60,
    cluster: {
      admission: { thresholds: { requests: 60 }, loadShedding: { low: 0.5, normal: 0.8 } },
    },
  },
  'load-reports': {
    ...hetero,
    ...SHORT,
    name: 'load-reports',
    description: 'as hetero, with weights from the load reports of the servers (ORCA)',
    cluster: { policy: { name: 'orca-weighted', blackoutMs: 500 } },
  },
  probes: {
    ...hetero,
    ...SHORT,
    name: 'probes',
    description: 'as hetero, with Prequal, which probes the servers',
    cluster: { policy: 'prequal' },
  },
  'affinity-ring': {
    ...SESSIONS,
    name: 'affinity-ring',
    description: '2,000 keys on a hash ring; 2 of 20 servers are gone for 4 s',
    cluster: { policy: 'ring-hash', health: HEALTH },
  },
  'affinity-maglev': {
    ...SESSIONS,
    name: 'affinity-maglev',
    description: '2,000 keys on a Maglev table; 2 of 20 servers are gone for 4 s',
    cluster: { policy: 'maglev', health: HEALTH },
  },
  'affinity-cookie': {
    ...SESSIONS,
    name: 'affinity-cookie',
    description: '400 browsers per client with signed cookies; 2 of 20 servers are gone for 4 s',
    keyCount: 400,
    affinity: 'cookie',
    cluster: { health: HEALTH },
  },
};
