import { closeSync } from 'node:fs';
import { Attr } from '../kernel/attr.ts';
import { callVerifier } from '../kernel/call-verifier.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { pinnedBytes, pinnedCopy, pinnedString, textOf } from '../kernel/memory.ts';
import {
  ATTACH_TYPE,
  COMMAND,
  PROGRAM_SLEEPABLE,
  PROGRAM_TYPE,
  type ProgramType,
} from '../kernel/uapi.table.ts';

/** Some types are only loaded together with a place to attach. */
const EXPECTED: Readonly<Partial<Record<ProgramType, keyof typeof ATTACH_TYPE>>> = {
  'cgroup-sock-addr': 'cgroup-connect4',
  'cgroup-sockopt': 'cgroup-getsockopt',
  'sk-lookup': 'sk-lookup',
};

/** `r0 = 1` or, with a helper, a call of it without arguments; then `exit`. */
function instructions(helper: number | undefined): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  if (helper === undefined) {
    view.setUint8(0, 0xb7);
    view.setInt32(4, 1, true);
  } else {
    view.setUint8(0, 0x85);
    view.setInt32(4, helper, true);
  }
  view.setUint8(8, 0x95);
  return bytes;
}

export interface Trial {
  /** 0 when the program was loaded. */
  readonly errno: number;
  readonly log: string;
}

/** Loads the smallest program of a type, and gives it up again unless `use` wants to try something with it. */
export function tryProgram(
  kernel: Kernel,
  what: { readonly type: ProgramType; readonly helper?: number },
  use: (fd: number) => void = () => undefined,
): Trial {
  const code = pinnedCopy(instructions(what.helper));
  const log = pinnedBytes(64 * 1024);
  const expected = EXPECTED[what.type];
  const attr = new Attr(kernel, 72)
    .u32(0, PROGRAM_TYPE[what.type])
    .u32(4, code.length / 8)
    .pointer(8, code)
    .pointer(16, pinnedString('GPL'))
    .u32(24, 1)
    .u32(28, log.length)
    .pointer(32, log)
    .u32(44, what.type === 'syscall' ? PROGRAM_SLEEPABLE : 0)
    .u32(68, expected === undefined ? 0 : ATTACH_TYPE[expected]);
  const fd = callVerifier(kernel, COMMAND.PROG_LOAD, attr.bytes);
  if (fd < 0) return { errno: -fd, log: textOf(log) };
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
  return { errno: 0, log: textOf(log) };
}
