/** What a second CPU adds: the program runs on two at once, on the same tables. */
import { join } from 'node:path';
import { openForwarder } from '@evenkeel/l4-gateway';
import { Child } from '../../support/child.ts';
import { summarize } from '../../support/statistics.ts';
import type { CpuRequest } from './cpu-process.ts';
import { ip4Subject } from './frames.ts';
import type { Net } from './net.ts';
import { allowedCpus } from './scale.ts';

const REALS = Array.from({ length: 100 }, (_, index) => ({ address: `10.0.0.${index + 1}` }));

/**
 * How many times what one CPU forwards two of them do, with 65,536 flows each; undefined when there is but one. By time
 * of the CPUs, which other processes do not take part in, so that a busy machine shows what the program costs.
 */
export async function measureTwoCpus(quick: boolean): Promise<number | undefined> {
  const cpus = allowedCpus().slice(0, 2);
  if (cpus.length < 2) return undefined;
  const forwarder = openForwarder({ nextHop: '02:00:00:00:00:03' });
  forwarder.addVip({ address: ip4Subject().vip, port: 80, protocol: 'tcp' }, REALS);
  const file = join(import.meta.dirname, 'cpu-process.ts');
  const options = { descriptors: [forwarder.program.fd] };
  const children = cpus.map((cpu) => ({ cpu, child: new Child<CpuRequest, Net>(file, options) }));
  const ask = async ({ cpu, child }: (typeof children)[number]): Promise<number> => {
    const repeat = quick ? 50_000 : 1_000_000;
    const { forward } = await child.ask({ cpu, repeat, rounds: quick ? 1 : 3 });
    return forward;
  };
  try {
    const ratios: number[] = [];
    for (let round = 0; round < (quick ? 1 : 5); round += 1) {
      const alone: number[] = [];
      for (const one of children) alone.push(await ask(one));
      const together = await Promise.all(children.map(ask));
      ratios.push(together.reduce((sum, ns, index) => sum + (alone[index] ?? 0) / ns, 0));
    }
    return summarize(ratios).median;
  } finally {
    await Promise.all(children.map(({ child }) => child.close()));
    forwarder.close();
  }
}
