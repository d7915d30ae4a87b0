import { boundedLoad } from './bounded-load/index.ts';
import { ketama } from './ketama/index.ts';
import { leastRequest } from './least-request/index.ts';
import { maglev } from './maglev/index.ts';
import { orcaWeighted } from './orca-weighted/index.ts';
import { peakEwma } from './peak-ewma/index.ts';
import type { Policy } from './policy.ts';
import { prequal } from './prequal/index.ts';
import { random } from './random/index.ts';
import { rendezvous } from './rendezvous/index.ts';
import { ringHash } from './ring-hash/index.ts';
import { roundRobin } from './round-robin/index.ts';
import { weightedRoundRobin } from './weighted-round-robin/index.ts';

/** Every policy that comes with Evenkeel. The default first; a new one is added here and nowhere else. */
export const BUILT_IN_POLICIES: readonly Policy[] = [
  peakEwma,
  leastRequest,
  roundRobin,
  weightedRoundRobin,
  orcaWeighted,
  prequal,
  random,
  maglev,
  ringHash,
  ketama,
  rendezvous,
  boundedLoad,
];
