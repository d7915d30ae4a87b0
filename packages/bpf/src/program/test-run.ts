import { argumentError } from '../error/bpf-error.ts';
import { Attr } from '../kernel/attr.ts';
import { explainFailure } from '../kernel/failure.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { pinnedBytes, pinnedCopy } from '../kernel/memory.ts';
import { COMMAND } from '../kernel/uapi.table.ts';

export interface TestRunOptions {
  /** The packet, from its Ethernet header on; at least 14 bytes. */
  readonly data?: Uint8Array;
  /** The context structure, for types that take one (`sk-lookup`, `syscall`, `xdp_md` for XDP). */
  readonly context?: Uint8Array;
  /**
   * How often. Default 1. **The packet is not restored**: from the second run on, a program that changes it sees its
   * own output.
   */
  readonly repeat?: number;
  /** Room for the packet as the program leaves it. Default: as long as `data` plus 256 bytes. */
  readonly room?: number;
  /** XDP: really sends the verdicts' frames (`BPF_F_TEST_XDP_LIVE_FRAMES`, Linux 5.18); `data` does not come back. */
  readonly liveFrames?: boolean;
}

export interface TestRun {
  /** What the program returned: for XDP 0 aborted, 1 drop, 2 pass, 3 tx, 4 redirect. */
  readonly verdict: number;
  /** The packet as the program left it. */
  readonly data: Uint8Array;
  /** The context as the program left it. */
  readonly context: Uint8Array;
  /** Mean time of one run in nanoseconds, as the kernel measured it, the test loop's 25 ns included. */
  readonly durationNs: number;
}

/** Room for headers that a program may add. */
const GROWTH_BYTES = 256;
const LIVE_FRAMES = 2;

interface Runnable {
  readonly fd: number;
  readonly spec: { readonly name: string; readonly type: string };
}

export function testRun(kernel: Kernel, program: Runnable, options: TestRunOptions): TestRun {
  const { data, context, repeat = 1, liveFrames = false } = options;
  if (!(Number.isInteger(repeat) && repeat >= 1 && repeat <= 0xffff_ffff)) {
    throw argumentError(`repeat: expected an integer from 1, got ${repeat}`);
  }
  const input = data === undefined ? undefined : pinnedCopy(data);
  const room = options.room ?? (data === undefined ? 0 : data.length + GROWTH_BYTES);
  const output = liveFrames || room === 0 ? undefined : pinnedBytes(room);
  const contextIn = context === undefined ? undefined : pinnedCopy(context);
  // A syscall program writes into its context itself, and the kernel refuses a place for another copy.
  const writesInPlace = program.spec.type === 'syscall';
  const contextOut =
    contextIn === undefined || writesInPlace || liveFrames
      ? undefined
      : pinnedBytes(contextIn.length);
  const attr = new Attr(kernel, 80)
    .u32(0, program.fd)
    .u32(8, input?.length ?? 0)
    .u32(12, output?.length ?? 0)
    .pointer(16, input)
    .pointer(24, output)
    .u32(32, writesInPlace ? 0 : repeat)
    .u32(40, contextIn?.length ?? 0)
    .u32(44, contextOut?.length ?? 0)
    .pointer(48, contextIn)
    .pointer(56, contextOut)
    .u32(64, liveFrames ? LIVE_FRAMES : 0);
  const result = kernel.bpf(COMMAND.PROG_TEST_RUN, attr.bytes);
  if (result < 0) throw failure(program, -result, liveFrames);
  return {
    verdict: attr.readU32(4),
    data: output?.subarray(0, Math.min(attr.readU32(12), output.length)) ?? new Uint8Array(0),
    context: contextOut?.subarray(0, attr.readU32(44)) ?? contextIn ?? new Uint8Array(0),
    durationNs: attr.readU32(36),
  };
}

function failure({ spec }: Runnable, errno: number, liveFrames: boolean): Error {
  return explainFailure({
    operation: `test run of program "${spec.name}" (${spec.type})`,
    errno,
    needs: ['BPF', 'NET_ADMIN'],
    ...(liveFrames ? { feature: { name: 'BPF_F_TEST_XDP_LIVE_FRAMES', since: [5, 18] } } : {}),
    hints: {
      ENOTSUPP: `programs of type ${spec.type} cannot be test-run`,
      EINVAL:
        'the data is too short (14 bytes of Ethernet at least), too long for one page, or the context does not fit',
      ENOSPC: 'the packet grew beyond `room`',
      EINTR: 'a signal arrived: run again',
    },
  });
}
