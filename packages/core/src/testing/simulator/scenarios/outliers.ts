/** What each kind of outlier detection is there for. */
import type { ScenarioOptions } from '../scenario/scenario.ts';

export type OutlierScenarioName =
  'consecutive' | 'gateway-failures' | 'local-origin' | 'success-rate' | 'failure-percentage';

/** Round robin avoids nobody, so whoever gets less was ejected. */
const TWENTY: Omit<ScenarioOptions, 'name'> = {
  clients: 5,
  servers: [{ count: 1 }, { count: 1 }, { count: 18 }],
  load: 50,
  warmUpMs: 0,
  durationMs: 20_000,
};
const FIRST = { group: 0 } as const;
const SECOND = { group: 1 } as const;

const NO_RUNS = { failures: 0, gatewayFailures: 0, connectFailures: 0, localOriginFailures: 0 };

export const outlierScenarios: Readonly<Record<OutlierScenarioName, ScenarioOptions>> = {
  consecutive: {
    ...TWENTY,
    name: 'consecutive',
    description: 'one of 20 servers fails for 8 s, one fails a tenth: five in a row',
    faults: [
      { kind: 'fail-fast', servers: FIRST, fromMs: 2_000, untilMs: 10_000 },
      { kind: 'errors', servers: SECOND, ratio: 0.1 },
    ],
    cluster: { policy: 'round-robin', outlierDetection: { successRate: false } },
  },
  'gateway-failures': {
    ...TWENTY,
    name: 'gateway-failures',
    description: 'one of 20 servers has lost what is behind it (503), one has a bug (500)',
    faults: [
      { kind: 'fail-fast', servers: FIRST, outcome: 'gatewayError' },
      { kind: 'fail-fast', servers: SECOND },
    ],
    cluster: {
      policy: 'round-robin',
      outlierDetection: { consecutive: { ...NO_RUNS, gatewayFailures: 5 }, successRate: false },
    },
  },
  'local-origin': {
    ...TWENTY,
    name: 'local-origin',
    description: 'one of 20 servers is gone, one answers errors; only connections are judged',
    faults: [
      { kind: 'refuse', servers: FIRST },
      { kind: 'fail-fast', servers: SECOND },
    ],
    cluster: {
      policy: 'round-robin',
      outlierDetection: {
        splitLocalOriginErrors: true,
        consecutive: { ...NO_RUNS, localOriginFailures: 5 },
        successRate: false,
      },
    },
  },
  'success-rate': {
    ...TWENTY,
    name: 'success-rate',
    description: 'one of 20 servers fails 30 % of its requests, hardly ever five in a row',
    faults: [{ kind: 'errors', servers: FIRST, ratio: 0.3 }],
    cluster: {
      policy: 'round-robin',
      outlierDetection: { consecutive: NO_RUNS, intervalMs: 4_000 },
    },
  },
  'failure-percentage': {
    ...TWENTY,
    name: 'failure-percentage',
    description: '6 of 20 servers fail 90 %: too many for the success rate to tell them apart',
    servers: [{ count: 6 }, { count: 14 }],
    faults: [{ kind: 'errors', servers: FIRST, ratio: 0.9 }],
    cluster: {
      policy: 'round-robin',
      outlierDetection: { consecutive: NO_RUNS, intervalMs: 4_000, failurePercentage: {} },
    },
  },
};
