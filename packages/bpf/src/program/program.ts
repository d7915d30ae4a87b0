import { Attr } from '../kernel/attr.ts';
import { Descriptor } from '../kernel/descriptor.ts';
import { explainFailure } from '../kernel/failure.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { pinnedBytes, textOf } from '../kernel/memory.ts';
import { COMMAND, PROGRAM_TYPE, type ProgramType } from '../kernel/uapi.table.ts';
import type { ProgramSpec } from '../spec/spec.ts';
import { type TestRun, type TestRunOptions, testRun } from './test-run.ts';

/** What the kernel says about a program. */
export interface ProgramInfo {
  /** Unique while the program lives; `bpftool prog show id` takes it. */
  readonly id: number;
  readonly type: ProgramType | undefined;
  readonly name: string;
  /** Hash of its instructions, as hex: tells whether two programs are the same. */
  readonly tag: string;
  /** Size after verification, and as machine code (0 without a JIT). */
  readonly translatedBytes: number;
  readonly jitedBytes: number;
}

/** A loaded program. It does nothing until it is attached by a link. */
export class Program<Type extends ProgramType = ProgramType> {
  readonly spec: ProgramSpec<Type>;
  readonly kernel: Kernel;
  readonly #descriptor: Descriptor;

  constructor(kernel: Kernel, spec: ProgramSpec<Type>, fd: number) {
    this.kernel = kernel;
    this.spec = spec;
    this.#descriptor = new Descriptor(fd, `program "${spec.name}"`);
  }

  get fd(): number {
    return this.#descriptor.fd;
  }

  get isOpen(): boolean {
    return this.#descriptor.isOpen;
  }

  info(): ProgramInfo {
    return programInfo(this.kernel, this.fd);
  }

  /**
   * Runs the program on a packet or context of ours (`BPF_PROG_TEST_RUN`), attached or not.
   *
   * @throws BpfError `EVENKEEL_BPF_UNSUPPORTED` for a type that cannot, such as `cgroup-sock-addr`
   */
  testRun(options: TestRunOptions = {}): TestRun {
    return testRun(this.kernel, this, options);
  }

  /** Gives the descriptor up; links and pins keep the program going. Idempotent. */
  close(): void {
    this.#descriptor.close();
  }
}

/** Offsets of `struct bpf_prog_info`, as far as they are read. */
const INFO_BYTES = 104;

export function programInfo(kernel: Kernel, fd: number): ProgramInfo {
  const info = pinnedBytes(INFO_BYTES);
  const attr = new Attr(kernel, 16).u32(0, fd).u32(4, INFO_BYTES).pointer(8, info);
  const result = kernel.bpf(COMMAND.OBJ_GET_INFO_BY_FD, attr.bytes);
  if (result < 0) {
    throw explainFailure({ operation: `describing program descriptor ${fd}`, errno: -result });
  }
  const view = new DataView(info.buffer);
  const word = (offset: number): number => view.getUint32(offset, true);
  return {
    id: word(4),
    type: TYPE_NAMES.get(word(0)),
    name: textOf(info.subarray(64, 80)),
    tag: Buffer.from(info.subarray(8, 16)).toString('hex'),
    translatedBytes: word(20),
    jitedBytes: word(16),
  };
}

const TYPE_NAMES: ReadonlyMap<number, ProgramType> = new Map(
  Object.entries(PROGRAM_TYPE).map(([name, number]) => [number, name as ProgramType]),
);
