import { availableParallelism, cpus, release, totalmem } from 'node:os';

/** What a reader needs to judge a figure. It names the kind of machine, never the machine. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly arch: string;
  readonly kernel: string;
  readonly node: string;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    arch: process.arch,
    kernel: `${process.platform} ${release()}`,
    node: process.versions.node,
  };
}
