import type { ScenarioOptions } from '../scenario/scenario.ts';
import { homo } from './uneven.ts';

const FIFTY: ScenarioOptions = { ...homo, load: 70 };

/** Answers errors in 0.5 ms: looks idle and quick to whoever counts requests or measures time. */
export const failFast: ScenarioOptions = {
  ...FIFTY,
  name: 'fail-fast',
  description: 'one of 50 equal servers answers errors at once',
  faults: [{ kind: 'fail-fast', servers: { count: 1 } }],
};

/** Takes requests and never answers. */
export const blackHole: ScenarioOptions = {
  ...FIFTY,
  name: 'black-hole',
  description: 'one of 50 equal servers takes requests and never answers',
  faults: [{ kind: 'black-hole', servers: { count: 1 } }],
};

/** Works, but so slowly that a fair share would drown it. */
export const slow: ScenarioOptions = {
  ...FIFTY,
  name: 'slow',
  description: 'one of 50 equal servers is 16 times slower',
  faults: [{ kind: 'slow', servers: { count: 1 }, factor: 16 }],
};

/** In and out of trouble: punishes whoever forgives too soon, and whoever never does. */
export const flapping: ScenarioOptions = {
  ...FIFTY,
  name: 'flapping',
  description: '3 of 50 equal servers fail for 2 s, work for 3 s, and so on',
  durationMs: 26_000,
  faults: [
    {
      kind: 'fail-fast',
      servers: { count: 3 },
      fromMs: 4_000,
      flap: { onMs: 2_000, offMs: 3_000 },
    },
  ],
};
