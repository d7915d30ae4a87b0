/** Nanoseconds per packet, without the wrapper. */
import { measureRounds } from '../../support/rounds.ts';
import { summarize } from '../../support/statistics.ts';
import type { Subject } from './frames.ts';
import type { Candidate, Mode, Scale } from './scale.ts';

export interface Net {
  readonly tx: number;
  readonly encap: number;
  readonly forward: number;
}

/** Medians of one way in which flows come. */
export async function measure(
  scale: Scale,
  forward: Candidate,
  { subject, mode, rounds }: { subject: Subject; mode: Mode; rounds: number },
): Promise<Net> {
  const { tx, grow, encap } = scale.floors;
  for (const [name, candidate] of Object.entries({ ...scale.floors, forward })) {
    scale.check(name, candidate, { subject, mode });
  }
  const wrapped = (candidate: Candidate) => (): number => scale.wrapped(candidate, subject, mode);
  const samples = await measureRounds(
    [
      { name: 'raw', measure: () => scale.raw(tx, subject) },
      { name: 'tx', measure: wrapped(tx) },
      { name: 'grow', measure: wrapped(grow) },
      { name: 'encap', measure: wrapped(encap) },
      { name: 'forward', measure: wrapped(forward) },
    ],
    { rounds, warmupRounds: 1 },
  );
  const of = (name: keyof typeof samples): number => summarize(samples[name]).median;
  const wrapper = of('tx') - of('raw');
  const growing = wrapper + (of('grow') - of('tx')) / 2;
  return {
    tx: of('raw'),
    encap: of('encap') - growing,
    forward: of('forward') - (forward.growth > 0 ? growing : wrapper),
  };
}
