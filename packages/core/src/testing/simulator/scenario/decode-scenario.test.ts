import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ConfigError } from '../../../error/config-error.ts';
import { scenarios } from '../scenarios/built-in.ts';
import { decodeScenario, decodeScenarioFile } from './decode-scenario.ts';
import type { ScenarioOptions } from './scenario.ts';

const minimal: ScenarioOptions = { name: 'test', servers: [{ count: 3 }] };

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  return 'no error';
}

describe('decodeScenario', () => {
  it('fills in the defaults', () => {
    expect(decodeScenario(minimal)).toEqual({
      name: 'test',
      description: '',
      clients: 20,
      servers: [{ count: 3, cores: 4, speed: 1, weight: 1, zone: '', priority: 0, labels: {} }],
      antagonists: [],
      work: { meanMs: 10, shape: 'exponential', alpha: 1.8, capMs: 1_000 },
      load: [{ atMs: 0, percent: 70, overMs: 0 }],
      network: { delayMs: 0.25 },
      deadlineMs: 1_000,
      warmUpMs: 4_000,
      durationMs: 15_000,
      faults: [],
      keyCount: 0,
      affinity: 'key',
      lowPercent: 0,
      asks: [],
      cluster: {},
      discoveryDelayMs: 0,
    });
  });

  it('fills in the defaults of faults and retries', () => {
    const { faults, retry } = decodeScenario({
      ...minimal,
      faults: [{ kind: 'slow' }, { kind: 'fail-fast', untilMs: 5 }, { kind: 'deploy' }],
      retry: {},
    });
    expect(faults).toEqual([
      { kind: 'slow', factor: 16, servers: {}, fromMs: 0 },
      {
        kind: 'fail-fast',
        afterMs: 0.5,
        outcome: 'serverError',
        servers: {},
        fromMs: 0,
        untilMs: 5,
      },
      {
        kind: 'deploy',
        batch: 1,
        everyMs: 1_000,
        drainMs: 500,
        downMs: 1_000,
        coldMs: 0,
        coldFactor: 4,
        servers: {},
        fromMs: 0,
      },
    ]);
    expect(retry).toEqual({ attempts: 2, budgetRatio: 0.2, minPerSecond: 10 });
  });

  it.each<[Partial<ScenarioOptions> | object, string]>([
    [{ clients: 0 }, 'scenario.clients: expected an integer from 1 to 10000, got 0'],
    [{ client: 5 }, "did you mean 'clients'?"],
    [{ servers: [] }, 'scenario.servers: expected at least one group'],
    [{ servers: [{ count: 10_000 }, { count: 1 }] }, 'at most 10000 servers in all, not 10001'],
    [{ load: [{ atMs: 5, percent: 1 }] }, 'scenario.load[0].atMs: expected 0 for the first step'],
    [
      {
        load: [
          { atMs: 0, percent: 1, overMs: 100 },
          { atMs: 50, percent: 2 },
        ],
      },
      'scenario.load[1].atMs: expected not before the last step ends (100 ms)',
    ],
    [
      {
        antagonists: [
          { serverPercent: 60, takesRatio: 1, onMs: 1, offMs: 1 },
          { serverPercent: 60, takesRatio: 1, onMs: 1, offMs: 1 },
        ],
      },
      'at most 100 percent of the servers in all, not 120',
    ],
    [{ work: { shape: 'pareto', capMs: 5 } }, 'scenario.work.capMs'],
    [
      {
        asks: [
          { subset: { v: '1' }, percent: 60 },
          { subset: { v: '2' }, percent: 60 },
        ],
      },
      'at most 100 percent of the requests in all, not 120',
    ],
    [{ faults: [{ kind: 'gone' }] }, 'one of slow, fail-fast, black-hole, refuse, errors, degrade'],
    [
      { faults: [{ kind: 'slow', servers: { count: 1, percent: 5 } }] },
      "scenario.faults[0].servers.percent: expected nothing, beside 'count'",
    ],
  ])('refuses %o', (part, message) => {
    expect(messageOf(() => decodeScenario({ ...minimal, ...part }))).toContain(message);
  });

  it.each(Object.entries(scenarios))(
    'accepts the built-in scenario %s, which has its name',
    (name, scenario) => {
      expect(decodeScenario(scenario).name).toBe(name);
      expect(scenario.description).not.toBe('');
    },
  );
});

describe('decodeScenarioFile', () => {
  const file = `
name: friday
servers:
  - { count: 8, zone: [a, b] }
antagonists:
  - { serverPercent: 50, takesRatio: 0.4, on: 500ms, off: 2s }
work: { mean: 20ms, shape: pareto, cap: 2s }
load:
  - { at: 0s, percent: 60 }
  - { at: 10s, percent: 90, over: 5s }
deadline: 500ms
duration: 1m
faults:
  - { kind: refuse, servers: { zone: b }, from: 20s, until: 30s }
  - { kind: fail-fast, servers: { count: 1 }, after: 1ms, flap: { on: 1s, off: 9s } }
  - { kind: deploy, every: 2s, drain: 0s }
retry: { perTry: 100ms }
`;

  it('reads durations with their units', () => {
    expect(decodeScenarioFile(parse(file))).toEqual({
      name: 'friday',
      servers: [{ count: 8, zone: ['a', 'b'] }],
      antagonists: [{ serverPercent: 50, takesRatio: 0.4, onMs: 500, offMs: 2_000 }],
      work: { meanMs: 20, shape: 'pareto', capMs: 2_000 },
      load: [
        { atMs: 0, percent: 60 },
        { atMs: 10_000, percent: 90, overMs: 5_000 },
      ],
      deadlineMs: 500,
      durationMs: 60_000,
      faults: [
        { kind: 'refuse', servers: { zone: 'b' }, fromMs: 20_000, untilMs: 30_000 },
        {
          kind: 'fail-fast',
          servers: { count: 1 },
          afterMs: 1,
          flap: { onMs: 1_000, offMs: 9_000 },
        },
        { kind: 'deploy', everyMs: 2_000, drainMs: 0 },
      ],
      retry: { perTryMs: 100 },
    });
  });

  it('makes options that the decoder of code accepts', () => {
    expect(decodeScenario(decodeScenarioFile(parse(file))).faults).toHaveLength(3);
  });

  it('complains in the words of the file', () => {
    const wrong = parse(file.replace('deadline: 500ms', 'deadline: 500')) as unknown;
    expect(messageOf(() => decodeScenarioFile(wrong))).toContain(
      'scenario.deadline: expected a duration',
    );
    const code = parse(file.replace('deadline: 500ms', 'deadlineMs: 500')) as unknown;
    expect(messageOf(() => decodeScenarioFile(code))).toContain("did you mean 'deadline'?");
  });
});
