/**
 * How long a table of 65,537 numbers takes from TypeScript into the kernel: entry by entry, in batches, through mapped
 * memory, and as one value that programs see whole. The peer is the single update, what every other way replaces.
 *
 * Needs root on Linux. Nothing is attached, and the maps end with the process.
 */
import {
  BpfError,
  type BpfMap,
  createMap,
  MAP_FLAG,
  MappedArray,
  type MapSpec,
  openKernel,
  u32,
  u32Array,
} from '@evenkeel/bpf';
import { measureRounds } from '../support/rounds.ts';
import { summarize } from '../support/statistics.ts';
import type { Figures, Suite } from '../support/suite.ts';
import { formatTable } from '../support/table.ts';

/** Size of a Maglev table. */
const ENTRIES = 65_537;
/** What the publication of a whole table may take. */
const GOAL_MS = 0.1;

const numbers = (name: string, flags: number): MapSpec<'array', number, number> => ({
  ...{ name, type: 'array', key: u32, value: u32, maxEntries: ENTRIES, flags },
});
const whole: MapSpec<'hash', number, Uint32Array> = {
  ...{ name: 'whole', type: 'hash', key: u32, value: u32Array(ENTRIES), maxEntries: 4 },
  flags: MAP_FLAG.NO_PREALLOC,
};

/** Milliseconds of one call, the mean of `count`. */
function timeMs(count: number, work: () => void): number {
  const start = performance.now();
  for (let turn = 0; turn < count; turn += 1) work();
  return (performance.now() - start) / count;
}

export const suite: Suite = {
  description: 'a table of 65,537 entries into the kernel, as one value against single updates',
  async run({ print, quick }): Promise<Figures> {
    const kernel = openKernel();
    const closers: { close(): void }[] = [];
    const open = <S extends MapSpec>(spec: S): ReturnType<typeof createMap<S>> => {
      const map = createMap(spec);
      closers.push(map as { close(): void });
      return map;
    };
    try {
      const single: BpfMap<number, number> = open(numbers('single', 0));
      const table: BpfMap<number, Uint32Array> = open(whole);
      const memory = open(numbers('memory', MAP_FLAG.MMAPABLE));
      const mapped = new MappedArray<number>(kernel, memory.spec, memory.fd);
      closers.push(mapped);
      const slots = Uint32Array.from({ length: ENTRIES }, (_, index) => index % 100);
      const entries = Array.from(slots, (slot, index) => [index, slot] as const);
      const words = new Uint32Array(mapped.memory);
      const stride = mapped.stride / 4;
      const samples = await measureRounds(
        [
          {
            name: 'single',
            measure: () =>
              timeMs(1, () => {
                for (const [index, slot] of entries) single.update(index, slot);
              }),
          },
          { name: 'batch', measure: () => timeMs(1, () => single.updateMany(entries)) },
          {
            name: 'memory',
            measure: () =>
              timeMs(10, () => {
                for (let index = 0; index < ENTRIES; index += 1) {
                  words[index * stride] = slots[index] as number;
                }
              }),
          },
          { name: 'whole', measure: () => timeMs(50, () => table.publish(1, slots)) },
        ],
        quick ? { rounds: 1, warmupRounds: 0 } : { rounds: 7, warmupRounds: 2 },
      );
      const of = (name: keyof typeof samples): number => summarize(samples[name]).median;
      print(
        formatTable(
          ['way', 'ms', 'ns per entry', 'seen by programs'],
          [
            ['single updates', of('single'), (of('single') * 1e6) / ENTRIES, 'entry by entry'],
            ['batches', of('batch'), (of('batch') * 1e6) / ENTRIES, 'entry by entry'],
            ['mapped memory', of('memory'), (of('memory') * 1e6) / ENTRIES, 'entry by entry'],
            ['one value', of('whole'), (of('whole') * 1e6) / ENTRIES, 'whole, at once'],
          ],
        ),
      );
      print(`one value: ${of('whole').toFixed(3)} ms, goal ${GOAL_MS} ms`);
      return {
        'publish-65537-ms': of('whole'),
        'single-updates-65537-ms': of('single'),
        'batch-65537-ms': of('batch'),
        'memory-65537-ms': of('memory'),
      };
    } catch (error) {
      if (error instanceof BpfError) print(`this needs BPF: ${error.message}`);
      throw error;
    } finally {
      for (const closer of closers.reverse()) closer.close();
    }
  },
};
