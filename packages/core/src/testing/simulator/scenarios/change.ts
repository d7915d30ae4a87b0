import type { ScenarioOptions } from '../scenario/scenario.ts';
import { hetero, homo } from './uneven.ts';

/** A third of the servers is lost at once, and comes back after 6 s: the rest has just enough capacity. */
export const zoneLoss: ScenarioOptions = {
  ...homo,
  name: 'zone-loss',
  description:
    'three zones of 16 servers; one refuses connections for 6 s, discovery does not notice',
  servers: [{ count: 48, zone: ['a', 'b', 'c'] }],
  load: 55,
  durationMs: 30_000,
  faults: [{ kind: 'refuse', servers: { zone: 'c' }, fromMs: 8_000, untilMs: 14_000 }],
  retry: { attempts: 3 },
};

/** Every server restarts once, two at a time. */
export const deployWave: ScenarioOptions = {
  ...homo,
  name: 'deploy-wave',
  description:
    '50 equal servers restart two at a time, each 1.5 s away; clients hear of it 200 ms late',
  load: 70,
  durationMs: 20_000,
  discoveryDelayMs: 200,
  faults: [{ kind: 'deploy', fromMs: 4_000, batch: 2, everyMs: 700, drainMs: 500, downMs: 1_000 }],
  retry: { attempts: 2 },
};

/** Load that climbs to beyond the capacity and falls again. */
export const overload: ScenarioOptions = {
  ...hetero,
  name: 'overload',
  description: 'as hetero, load 70 % rising to 120 % for 5 s',
  load: [
    { atMs: 0, percent: 70 },
    { atMs: 7_000, percent: 120, overMs: 2_000 },
    { atMs: 14_000, percent: 70 },
  ],
  durationMs: 18_000,
};

/** Nobody answers: what retries make of it. */
export const outage: ScenarioOptions = {
  ...homo,
  name: 'outage',
  description: '50 equal servers; all of them fail at once for 5 s, clients retry twice',
  load: 70,
  faults: [{ kind: 'fail-fast', fromMs: 7_000, untilMs: 12_000 }],
  retry: { attempts: 3 },
};
