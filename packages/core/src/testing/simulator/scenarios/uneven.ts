import type { ScenarioOptions } from '../scenario/scenario.ts';

/**
 * Machines of three speeds, most of them shared with something that takes cores now and then: the usual state of a
 * large fleet, and what tells policies apart.
 */
export const hetero: ScenarioOptions = {
  name: 'hetero',
  description: '50 servers of three speeds, 9 of 10 share their machine with an antagonist',
  servers: [
    { count: 25, speed: 1 },
    { count: 15, speed: 0.75 },
    { count: 10, speed: 0.5 },
  ],
  antagonists: [
    { serverPercent: 70, takesRatio: 0.4, onMs: 500, offMs: 2_000 },
    { serverPercent: 20, takesRatio: 0.75, onMs: 3_000, offMs: 6_000 },
  ],
  work: { shape: 'normal' },
  load: 85,
};

/** All alike and undisturbed: what remains is the randomness of arrivals and work. */
export const homo: ScenarioOptions = {
  name: 'homo',
  description: '50 equal servers',
  servers: [{ count: 50 }],
  load: 85,
};

/** As `hetero`, with a few requests a hundred times as large as the others. */
export const heavyTail: ScenarioOptions = {
  ...hetero,
  name: 'heavy-tail',
  description: 'as hetero, the work of requests has a heavy tail (Pareto 1.8)',
  work: { shape: 'pareto' },
};

/** One client, servers with one core, no network: the queueing model M/M/1-PS that textbooks solve. */
export const single: ScenarioOptions = {
  name: 'single',
  description: 'one client, 50 servers of one core, no network delay: M/M/1 theory applies',
  clients: 1,
  servers: [{ count: 50, cores: 1 }],
  network: { delayMs: 0 },
  deadlineMs: 5_000,
  load: 70,
};
