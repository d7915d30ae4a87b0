/** Which servers get which part of the traffic. */
import type { ScenarioOptions } from '../scenario/scenario.ts';

export type TopologyScenarioName =
  | 'failover'
  | 'degraded'
  | 'locality-weighted'
  | 'zone-aware'
  | 'subsets'
  | 'canary'
  | 'aperture'
  | 'slow-start'
  | 'panic';

/** A check per second and two failures in a row: an endpoint that is gone is noticed within 2 to 3 s. */
const HEALTH = { http: { intervalMs: 1_000, timeoutMs: 500, rise: 1, fall: 2 } } as const;
const ZONES = ['a', 'b', 'c'] as const;
const LOST = { kind: 'refuse', fromMs: 8_000, untilMs: 14_000 } as const;

type Named<Name extends string> = ScenarioOptions & { readonly name: Name };

const failover: Named<'failover'> = {
  name: 'failover',
  description: '24 servers, and 24 in reserve at priority 1; the first ones are gone for 6 s',
  servers: [{ count: 24 }, { count: 24, priority: 1 }],
  load: 30,
  durationMs: 20_000,
  faults: [{ ...LOST, servers: { group: 0 } }],
  retry: { attempts: 3 },
  cluster: { health: HEALTH },
};

const degraded: Named<'degraded'> = {
  name: 'degraded',
  description: '10 of 50 servers ask to be spared for 6 s',
  servers: [{ count: 50 }],
  load: 50,
  durationMs: 16_000,
  faults: [{ kind: 'degrade', servers: { count: 10 }, fromMs: 6_000, untilMs: 12_000 }],
  cluster: { health: HEALTH },
};

const localityWeighted: Named<'locality-weighted'> = {
  name: 'locality-weighted',
  description: 'three zones of 16 servers weighted 2 : 1 : 1; half of zone a is gone for 6 s',
  servers: [{ count: 48, zone: ZONES }],
  load: 40,
  durationMs: 18_000,
  faults: [{ ...LOST, servers: { zone: 'a', percent: 50 } }],
  retry: { attempts: 3 },
  cluster: {
    health: HEALTH,
    topology: {
      localityWeights: [
        { zone: 'a', weight: 2 },
        { zone: 'b', weight: 1 },
        { zone: 'c', weight: 1 },
      ],
    },
  },
};

const zoneAware: Named<'zone-aware'> = {
  name: 'zone-aware',
  description: 'as zone-loss with zone-aware clients, health checks and 2 ms between zones',
  clients: 21,
  servers: [{ count: 48, zone: ZONES }],
  load: 55,
  network: { crossZoneDelayMs: 2 },
  durationMs: 22_000,
  faults: [{ ...LOST, servers: { zone: 'c' } }],
  retry: { attempts: 3 },
  cluster: { health: HEALTH, topology: { zoneAware: {} } },
};

const VERSIONS: ScenarioOptions['servers'] = [
  { count: 30, labels: { version: 'v1' } },
  { count: 10, labels: { version: 'v2' } },
];

const subsets: Named<'subsets'> = {
  name: 'subsets',
  description: '30 servers of v1 and 10 of v2; a fifth of the requests asks for v2',
  servers: VERSIONS,
  load: 50,
  warmUpMs: 1_000,
  durationMs: 6_000,
  asks: [{ subset: { version: 'v2' }, percent: 20 }],
  cluster: { topology: { subsets: { selectors: [{ keys: ['version'] }] } } },
};

const canary: Named<'canary'> = {
  name: 'canary',
  description: 'requests with keys, of which 5 % go to the 10 servers of v2, always the same',
  servers: VERSIONS,
  load: 50,
  warmUpMs: 1_000,
  durationMs: 6_000,
  keyCount: 5_000,
  cluster: {
    policy: 'maglev',
    topology: {
      subsets: { selectors: [{ keys: ['version'] }] },
      split: {
        sides: {
          stable: { subset: { version: 'v1' }, weight: 95 },
          canary: { subset: { version: 'v2' }, weight: 5 },
        },
      },
    },
  },
};

const aperture: Named<'aperture'> = {
  name: 'aperture',
  description: '25 clients that use 12 of 100 servers each',
  clients: 25,
  servers: [{ count: 100 }],
  load: 70,
  warmUpMs: 1_000,
  durationMs: 4_000,
  cluster: { topology: { aperture: { size: 12 } } },
};

const slowStart: Named<'slow-start'> = {
  name: 'slow-start',
  description: '40 servers restart two at a time and work four times as slowly for 3 s after it',
  servers: [{ count: 40 }],
  load: 60,
  durationMs: 18_000,
  discoveryDelayMs: 200,
  faults: [{ kind: 'deploy', fromMs: 4_000, batch: 2, everyMs: 700, coldMs: 3_000 }],
  cluster: {
    // Least request knows nothing of speed, so that warming up is all that helps.
    policy: 'least-request',
    topology: { slowStart: { windowMs: 4_000 } },
  },
};

const panic: Named<'panic'> = {
  name: 'panic',
  description: '30 of 50 servers are gone for 6 s: too few are left for all of the traffic',
  servers: [{ count: 50 }],
  load: 70,
  durationMs: 18_000,
  faults: [{ ...LOST, servers: { count: 30 } }],
  cluster: { health: HEALTH },
};

export const topologyScenarios: Readonly<Record<TopologyScenarioName, ScenarioOptions>> = {
  failover,
  degraded,
  'locality-weighted': localityWeighted,
  'zone-aware': zoneAware,
  subsets,
  canary,
  aperture,
  'slow-start': slowStart,
  panic,
};
