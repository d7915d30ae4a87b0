/** Measures the parent's program, which is its descriptor 4, on one CPU. */
import { openKernel, Program } from '@evenkeel/bpf';
import { serve } from '../../support/child.ts';
import { ip4Subject } from './frames.ts';
import { measure, type Net } from './net.ts';
import { openScale, stayOnOneCpu } from './scale.ts';

export interface CpuRequest {
  readonly cpu: number;
  readonly repeat: number;
  readonly rounds: number;
}

const spec = { name: 'forward', type: 'xdp', attachType: 'xdp' } as const;
const program = new Program(openKernel(), spec, 4);

serve<CpuRequest, Net>(async ({ cpu, repeat, rounds }) => {
  stayOnOneCpu(cpu);
  const scale = openScale(repeat);
  try {
    const candidate = { program, growth: 20 };
    return await measure(scale, candidate, { subject: ip4Subject(), mode: 'many', rounds });
  } finally {
    scale.close();
  }
});
