import { readFileSync } from 'node:fs';
import { formatError } from '../error/bpf-error.ts';

/** Number of CPUs that per-CPU values have room for: those that could ever appear, not those that are on. */
export function possibleCpus(): number {
  counted ??= countCpus(readFileSync('/sys/devices/system/cpu/possible', 'utf8'));
  return counted;
}

let counted: number | undefined;

/** Counts a list as the kernel prints it: `0-3`, `0,2-5`. */
export function countCpus(list: string): number {
  let last = -1;
  for (const range of list.trim().split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/u.exec(range);
    if (match === null) throw formatError(`not a list of CPUs: ${JSON.stringify(list)}`);
    last = Math.max(last, Number(match[2] ?? match[1]));
  }
  // Values are indexed by CPU number: a hole in the list still takes room.
  return last + 1;
}
