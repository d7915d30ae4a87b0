import { z } from 'zod';
import {
  durationMs,
  integer,
  number,
  object,
  oneOf,
  percent,
  text,
} from '../../../schema/fields.ts';
import type { Scenario, ScenarioOptions } from './scenario.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MAX_SERVERS = 10_000;

/** From 0. */
const time = (max: number): z.ZodNumber => durationMs({ min: 0, max });
/** From 1 ms. */
const span = (max: number): z.ZodNumber => durationMs({ min: 1, max });

const serverGroup = object({
  count: integer({ min: 1, max: MAX_SERVERS }),
  cores: number({ min: 0.1, max: 1_024 }).default(4),
  speed: number({ min: 0.001, max: 1_000 }).default(1),
  weight: integer({ min: 0, max: 1_000_000 }).default(1),
  zone: z
    .union([z.string(), z.array(text(64)).min(1)], { error: 'a zone, or a list of zones' })
    .default(''),
  priority: integer({ min: 0, max: 127 }).default(0),
  labels: z.record(z.string(), z.string()).default({}),
  maxRequests: integer({ min: 1, max: 1_000_000 }).optional(),
});

const antagonist = object({
  serverPercent: percent(),
  takesRatio: number({ min: 0, max: 1 }),
  onMs: span(HOUR_MS),
  offMs: span(HOUR_MS),
});

const work = object({
  meanMs: durationMs({ min: 0.001, max: 60_000 }).default(10),
  shape: oneOf(['exponential', 'constant', 'normal', 'pareto']).default('exponential'),
  alpha: number({ min: 1.01, max: 10 }).default(1.8),
  capMs: durationMs({ min: 0.001, max: HOUR_MS }).default(1_000),
}).superRefine(({ shape, meanMs, capMs }, context) => {
  if (shape === 'pareto' && capMs < meanMs) {
    context.addIssue({
      code: 'custom',
      path: ['capMs'],
      message: `a duration of at least meanMs (${meanMs} ms)`,
    });
  }
});

const loadPercent = number({ min: 0.1, max: 1_000 });
const loadStep = object({
  atMs: time(DAY_MS),
  percent: number({ min: 0, max: 1_000 }),
  overMs: time(DAY_MS).default(0),
});

const loadSteps = z
  .array(loadStep)
  .min(1, { error: 'at least one step' })
  .superRefine((steps, context) => {
    steps.forEach(({ atMs }, index) => {
      const before = steps[index - 1];
      const earliestMs = before === undefined ? 0 : before.atMs + before.overMs;
      if (before === undefined ? atMs === 0 : atMs >= earliestMs) return;
      const message =
        before === undefined
          ? '0 for the first step'
          : `not before the last step ends (${earliestMs} ms)`;
      context.addIssue({ code: 'custom', path: [index, 'atMs'], message });
    });
  });

const load = z.union([loadPercent, loadSteps], {
  error: 'a percentage from 0.1 to 1000, or a list of steps',
});

const selector = object({
  zone: text(64).optional(),
  group: integer({ min: 0, max: 63 }).optional(),
  count: integer({ min: 1, max: MAX_SERVERS }).optional(),
  percent: percent().optional(),
}).superRefine(({ count, percent: share }, context) => {
  if (count !== undefined && share !== undefined) {
    context.addIssue({ code: 'custom', path: ['percent'], message: "nothing, beside 'count'" });
  }
});

const when = {
  servers: selector.prefault({}),
  fromMs: time(DAY_MS).default(0),
};
const lasting = {
  ...when,
  untilMs: time(DAY_MS).optional(),
  flap: object({ onMs: span(HOUR_MS), offMs: span(HOUR_MS) }).optional(),
};

const outcome = oneOf(['serverError', 'gatewayError']).default('serverError');

const fault = z.discriminatedUnion(
  'kind',
  [
    object({
      kind: z.literal('slow'),
      factor: number({ min: 0.0001, max: 10_000 }).default(16),
      ...lasting,
    }),
    object({
      kind: z.literal('fail-fast'),
      afterMs: time(HOUR_MS).default(0.5),
      outcome,
      ...lasting,
    }),
    object({ kind: z.literal('black-hole'), ...lasting }),
    object({ kind: z.literal('refuse'), ...lasting }),
    object({ kind: z.literal('errors'), ratio: number({ min: 0, max: 1 }), outcome, ...lasting }),
    object({ kind: z.literal('degrade'), ...lasting }),
    object({
      kind: z.literal('deploy'),
      batch: integer({ min: 1, max: MAX_SERVERS }).default(1),
      everyMs: span(HOUR_MS).default(1_000),
      drainMs: time(HOUR_MS).default(500),
      downMs: time(HOUR_MS).default(1_000),
      coldMs: time(HOUR_MS).default(0),
      coldFactor: number({ min: 0.0001, max: 10_000 }).default(4),
      ...when,
    }),
  ],
  {
    error:
      'a fault whose kind is one of slow, fail-fast, black-hole, refuse, errors, degrade, deploy',
  },
);

const retry = object({
  attempts: integer({ min: 1, max: 6 }).default(2),
  perTryMs: span(HOUR_MS).optional(),
  budgetRatio: number({ min: 0, max: 10 }).default(0.2),
  minPerSecond: number({ min: 0, max: 1_000_000 }).default(10),
});

const hedge = object({
  delayMs: time(600_000).optional(),
  percentile: number({ min: 1, max: 99.99 }).optional(),
  maxHedges: integer({ min: 1, max: 4 }).optional(),
});

const ask = object({ subset: z.record(z.string(), z.string()), percent: percent() });

/** The authority for scenarios in code and in files. */
export const scenarioSchema: z.ZodType<CodedScenario, ScenarioOptions> = object({
  name: text(64),
  description: z.string({ error: 'a text' }).default(''),
  clients: integer({ min: 1, max: 10_000 }).default(20),
  servers: z
    .array(serverGroup, { error: 'a list of groups of servers' })
    .min(1, { error: 'at least one group' })
    .max(64, { error: 'at most 64 groups' }),
  antagonists: z.array(antagonist, { error: 'a list of antagonists' }).default([]),
  work: work.prefault({}),
  load: load.default(70),
  network: object({
    delayMs: time(10_000).default(0.25),
    crossZoneDelayMs: time(10_000).optional(),
  }).prefault({}),
  deadlineMs: span(HOUR_MS).default(1_000),
  warmUpMs: time(HOUR_MS).default(4_000),
  durationMs: durationMs({ min: 100, max: DAY_MS }).default(15_000),
  faults: z.array(fault, { error: 'a list of faults' }).default([]),
  retry: retry.optional(),
  hedge: hedge.optional(),
  keyCount: integer({ min: 0, max: 1_000_000 }).default(0),
  affinity: oneOf(['key', 'cookie']).default('key'),
  lowPercent: percent().default(0),
  asks: z.array(ask, { error: 'a list of subsets' }).default([]),
  // Checked by the clusters themselves.
  cluster: z.record(z.string(), z.unknown(), { error: 'options of a cluster' }).default({}),
  discoveryDelayMs: time(HOUR_MS).default(0),
}).superRefine(({ servers, antagonists, asks }, context) => {
  const asked = asks.reduce((sum, part) => sum + part.percent, 0);
  if (asked > 100) {
    const message = `at most 100 percent of the requests in all, not ${asked}`;
    context.addIssue({ code: 'custom', path: ['asks'], message });
  }
  const count = servers.reduce((sum, group) => sum + group.count, 0);
  if (count > MAX_SERVERS) {
    const message = `at most ${MAX_SERVERS} servers in all, not ${count}`;
    context.addIssue({ code: 'custom', path: ['servers'], message });
  }
  const share = antagonists.reduce((sum, { serverPercent }) => sum + serverPercent, 0);
  if (share > 100) {
    const message = `at most 100 percent of the servers in all, not ${share}`;
    context.addIssue({ code: 'custom', path: ['antagonists'], message });
  }
});

/** A scenario in which the load may still be a single number. */
export type CodedScenario = Omit<Scenario, 'load'> & {
  readonly load: number | Scenario['load'];
};
