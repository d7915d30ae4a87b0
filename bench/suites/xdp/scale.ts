/** Runs programs on a packet, many times over, each run on the packet as it was at first. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isBpfError, loadObject, type Program } from '@evenkeel/bpf';
import { scale as scaleSpec } from './generated/scale.ts';
import type { Subject } from './frames.ts';

const XDP_TX = 3;
/** IPv4 and TCP: 40 bytes behind Ethernet. */
const HEADER_WORDS = 5;

function wordOf({ frame }: Subject, word: number): bigint {
  return frame.readBigUInt64LE(14 + 8 * word);
}

/** How flows come: one, 65,536 in turn, or a new one with every packet. */
export const FLOW_MASKS = { one: 0, many: 0xffff, new: 0xffff_ffff } as const;
export type Mode = keyof typeof FLOW_MASKS;

export interface Candidate {
  readonly program: Program<'xdp'>;
  /** Bytes that it puts in front. */
  readonly growth: number;
}

export interface Scale {
  readonly floors: Readonly<Record<'tx' | 'grow' | 'encap', Candidate>>;
  /** ns of CPU per packet, the wrapper's cost included. */
  wrapped(candidate: Candidate, subject: Subject, mode: Mode): number;
  /** ns of CPU per packet without the wrapper: for a program that leaves the packet alone. */
  raw(candidate: Candidate, subject: Subject): number;
  /** @throws Error when the candidate does not send the packet on, or not at the length it should have */
  check(name: string, candidate: Candidate, how: { subject: Subject; mode: Mode }): void;
  /** Lets {@link generator} make these frames. */
  prepare(subject: Subject, mode: Mode): void;
  /** Live frames: made by the one, counted by the other when they are `bytes` long. */
  readonly generator: Program<'xdp'>;
  readonly swallower: Program<'xdp'>;
  /** @returns how many have come back since the last call */
  takeReturned(bytes: number): number;
  close(): void;
}

/** CPUs that this process may use. */
export function allowedCpus(): number[] {
  const list = /^Cpus_allowed_list:\s*(.*)$/mu.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return (list ?? '0').split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** Caches are per CPU: a process that wanders between runs would find them cold. Default: the last CPU. */
export function stayOnOneCpu(cpu: number = allowedCpus().at(-1) ?? 0): void {
  spawnSync('taskset', ['-cp', String(cpu), String(process.pid)]);
}

const EINTR = 4;

/** A signal ends a test run early: that of a child that has ended, or of the collector of another thread. */
export function uninterrupted<T>(run: () => T): T {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return run();
    } catch (error) {
      if (!isBpfError(error) || error.errno !== EINTR || attempt === 10) throw error;
    }
  }
}

export function openScale(repeat: number): Scale {
  const object = loadObject(scaleSpec);
  const { wrap, sendBack, grow, encapsulate } = object.programs;
  const { bss } = object.globals;
  const timed = (program: Program<'xdp'>, subject: Subject): number => {
    const { user, system } = uninterrupted(() => {
      const before = process.cpuUsage();
      program.testRun({ data: subject.frame, repeat });
      return process.cpuUsage(before);
    });
    return ((user + system) * 1_000) / repeat;
  };
  const prepare = (subject: Subject, mode: Mode): void => {
    bss.set('frameBytes', subject.frame.length);
    bss.set('flowMask', FLOW_MASKS[mode]);
    bss.set('isIp6', subject.isIp6 ? 1 : 0);
    bss.set('restores', subject.isChanged === true ? 1 : 0);
    bss.set(
      'headers',
      Array.from({ length: HEADER_WORDS }, (_, word) => wordOf(subject, word)),
    );
  };
  const place = (candidate: Candidate, subject: Subject, mode: Mode): void => {
    object.maps.candidate.update(0, candidate.program.fd);
    prepare(subject, mode);
  };
  return {
    prepare,
    generator: object.programs.generate,
    swallower: object.programs.swallow,
    takeReturned(bytes) {
      const count = Number(bss.get('returned'));
      bss.set('returned', 0n);
      bss.set('returnedBytes', bytes);
      return count;
    },
    floors: {
      tx: { program: sendBack, growth: 0 },
      grow: { program: grow, growth: 20 },
      encap: { program: encapsulate, growth: 20 },
    },
    wrapped(candidate, subject, mode) {
      place(candidate, subject, mode);
      const ns = timed(wrap, subject);
      if (bss.get('missed') !== 0n) throw new Error('a tail call did not happen');
      return ns;
    },
    raw: (candidate, subject) => timed(candidate.program, subject),
    check(name, candidate, { subject, mode }) {
      place(candidate, subject, mode);
      // The second run sees what the first has left: what is measured has to hold for it too.
      const { verdict, data } = uninterrupted(() =>
        wrap.testRun({ data: subject.frame, repeat: 2 }),
      );
      const expected = subject.frame.length + candidate.growth;
      if (verdict === XDP_TX && data.length === expected) return;
      throw new Error(
        `${name}: verdict ${verdict}, ${data.length} bytes instead of ${XDP_TX}, ${expected}`,
      );
    },
    close: () => object.close(),
  };
}
