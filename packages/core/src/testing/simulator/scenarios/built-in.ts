import type { ScenarioOptions } from '../scenario/scenario.ts';
import { blackHole, failFast, flapping, slow } from './bad-server.ts';
import { deployWave, outage, overload, zoneLoss } from './change.ts';
import { type OutlierScenarioName, outlierScenarios } from './outliers.ts';
import { type ResilienceScenarioName, resilienceScenarios } from './resilience.ts';
import { type TopologyScenarioName, topologyScenarios } from './topology.ts';
import { heavyTail, hetero, homo, single } from './uneven.ts';

/** Scenarios that come with the simulator. Spread one into a scenario of your own to change a part of it. */
export const scenarios: Readonly<Record<ScenarioName, ScenarioOptions>> = {
  hetero,
  homo,
  'heavy-tail': heavyTail,
  single,
  'fail-fast': failFast,
  'black-hole': blackHole,
  slow,
  flapping,
  'zone-loss': zoneLoss,
  'deploy-wave': deployWave,
  overload,
  outage,
  ...topologyScenarios,
  ...outlierScenarios,
  ...resilienceScenarios,
};

export type ScenarioName =
  | 'hetero'
  | 'homo'
  | 'heavy-tail'
  | 'single'
  | 'fail-fast'
  | 'black-hole'
  | 'slow'
  | 'flapping'
  | 'zone-loss'
  | 'deploy-wave'
  | 'overload'
  | 'outage'
  | TopologyScenarioName
  | OutlierScenarioName
  | ResilienceScenarioName;
