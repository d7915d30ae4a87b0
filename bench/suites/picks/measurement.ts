/** Everything that can be measured, as plain data, so that it can be sent to a worker process. */
import { type Contender, CONTENDERS } from './contenders.ts';
import { cpuLoopTimer, cpuTimeOf } from './cpu-time.ts';
import {
  acquireLoop,
  admissionLoop,
  bytesPerEndpoint,
  clockLoop,
  clusterUpdate,
  policyUpdate,
} from './membership.ts';
import { lookupLoop, pickLoop } from './pick-loop.ts';
import { TABLE_BUILDS } from './tables.ts';

export type Measurement =
  | { readonly kind: 'pick' | 'lookup'; readonly contender: string; readonly count: number }
  /** As `pick`, in a process whose call sites have seen all policies. */
  | { readonly kind: 'pick-among-all'; readonly contender: string; readonly count: number }
  | { readonly kind: 'update'; readonly contender: string; readonly count: number }
  | { readonly kind: 'build'; readonly table: string }
  | { readonly kind: 'acquire' | 'cluster-update' | 'bytes'; readonly count: number }
  | { readonly kind: 'admission'; readonly gates: 'thresholds' | 'all' }
  | { readonly kind: 'clock' };

/** How long one loop lasts. */
export interface Timing {
  readonly targetMs: number;
}

/** Sets a measurement up; each call of the result takes one sample, in the unit of the figure. */
export function prepare(measurement: Measurement, timing: Timing): () => number {
  switch (measurement.kind) {
    case 'pick':
      return cpuLoopTimer(pickLoop(contenderOf(measurement.contender), measurement.count), timing);
    case 'pick-among-all':
      for (const { policy, name } of CONTENDERS) pickLoop({ name, policy }, 10)(20_000);
      return cpuLoopTimer(pickLoop(contenderOf(measurement.contender), measurement.count), timing);
    case 'lookup':
      return cpuLoopTimer(
        lookupLoop(contenderOf(measurement.contender), measurement.count),
        timing,
      );
    case 'update':
      return policyUpdate(contenderOf(measurement.contender).policy, measurement.count);
    case 'build': {
      const build = TABLE_BUILDS[measurement.table];
      if (build === undefined) throw new Error(`no table ${measurement.table}`);
      return () => cpuTimeOf(build);
    }
    case 'acquire':
      return cpuLoopTimer(acquireLoop(measurement.count), timing);
    case 'cluster-update':
      return clusterUpdate('peak-ewma', measurement.count);
    case 'bytes':
      return bytesPerEndpoint(measurement.count);
    case 'admission':
      return cpuLoopTimer(admissionLoop(measurement.gates), timing);
    case 'clock':
      return cpuLoopTimer(clockLoop(), timing);
  }
}

function contenderOf(name: string): Contender {
  const contender = CONTENDERS.find((candidate) => candidate.name === name);
  if (contender === undefined) throw new Error(`no contender ${name}`);
  return contender;
}
