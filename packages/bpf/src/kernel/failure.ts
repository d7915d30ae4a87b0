/** Turns the error number of a system call into an error that a person can act on. */
import { BpfError, type BpfErrorCode, errnoName } from '../error/bpf-error.ts';
import { ERRNO } from '../error/errno.table.ts';
import {
  type CAPABILITY,
  isAtLeast,
  type KernelVersion,
  kernelVersion,
  missingCapabilities,
} from './capabilities.ts';

export interface Failure {
  /** What was tried, as the start of a sentence: `attaching count to eth0`. */
  readonly operation: string;
  /** Positive error number. */
  readonly errno: number;
  /** Capabilities that the operation takes. Default CAP_BPF. */
  readonly needs?: readonly (keyof typeof CAPABILITY)[] | undefined;
  /** What the operation relies on and the first kernel that has it. */
  readonly feature?: Feature | undefined;
  /** Hints for single error numbers, by name: they win over the general ones. */
  readonly hints?: Readonly<Record<string, string>> | undefined;
  /** The verifier's log, if the operation has one. */
  readonly log?: string | undefined;
}

export interface Feature {
  readonly name: string;
  readonly since: KernelVersion;
}

/** Facts about the machine that an explanation takes into account; a test passes others. */
export interface Surroundings {
  readonly version: KernelVersion;
  readonly missing: (needs: readonly (keyof typeof CAPABILITY)[]) => readonly string[];
}

const here = (): Surroundings => ({
  version: kernelVersion(),
  missing: (needs) => missingCapabilities(needs),
});

/** Lines of the verifier's log that a message carries; the reason is at the end. */
const LOG_LINES = 12;

/** The error for a failed operation: names the errno, the reason as far as it can be told, and what to do. */
export function explainFailure(failure: Failure, surroundings: Surroundings = here()): BpfError {
  const { operation, errno, log } = failure;
  const { code, hint } = classify(failure, surroundings);
  const name = errnoName(errno);
  const tail = log === undefined ? '' : logTail(log);
  const message = [`${operation}: ${name}${hint === '' ? '' : ` - ${hint}`}`, tail]
    .filter((part) => part !== '')
    .join('\n');
  return new BpfError(code, message, { errno, log });
}

interface Verdict {
  readonly code: BpfErrorCode;
  readonly hint: string;
}

function classify(failure: Failure, { version, missing }: Surroundings): Verdict {
  const { errno, needs = ['BPF'], feature, hints = {}, log } = failure;
  const name = errnoName(errno);
  const own = hints[name];
  if (name === 'EPERM' || name === 'EACCES') {
    const absent = missing(needs);
    if (absent.length > 0) {
      const hint = `this process lacks ${absent.join(' and ')}: run as root, or grant it (setcap, AmbientCapabilities=)`;
      return { code: 'EVENKEEL_BPF_PERMISSION', hint };
    }
  }
  if (feature !== undefined && SAYS_UNKNOWN.has(name) && !isAtLeast(version, feature.since)) {
    const hint = `${feature.name} needs Linux ${feature.since.join('.')}, this is ${version.join('.')}`;
    return { code: 'EVENKEEL_BPF_UNSUPPORTED', hint };
  }
  if (log !== undefined && hasVerdict(log)) {
    const strict =
      missing(['PERFMON']).length > 0
        ? '; this process lacks CAP_PERFMON, without which arithmetic on pointers is forbidden'
        : '';
    return {
      code: 'EVENKEEL_BPF_VERIFIER',
      hint: own ?? `the verifier refused the program${strict}`,
    };
  }
  const general = GENERAL[name];
  return { code: general?.code ?? 'EVENKEEL_BPF_KERNEL', hint: own ?? general?.hint ?? '' };
}

/** How kernels answer to what they do not know. */
const SAYS_UNKNOWN: ReadonlySet<string> = new Set([
  'EINVAL',
  'ENOSYS',
  'EOPNOTSUPP',
  'ENOTSUPP',
  'E2BIG',
]);

const GENERAL: Readonly<Record<string, Verdict>> = {
  EPERM: {
    code: 'EVENKEEL_BPF_PERMISSION',
    hint: 'the capabilities are there: a seccomp profile, kernel lockdown or a BPF LSM forbids it (containers: allow bpf(2))',
  },
  EACCES: {
    code: 'EVENKEEL_BPF_PERMISSION',
    hint: 'a security module or the permissions of the map forbid it',
  },
  ENOSYS: {
    code: 'EVENKEEL_BPF_UNSUPPORTED',
    hint: 'this kernel has no bpf(2) (CONFIG_BPF_SYSCALL), or a sandbox hides it',
  },
  EOPNOTSUPP: {
    code: 'EVENKEEL_BPF_UNSUPPORTED',
    hint: 'the kernel or the driver has no such operation',
  },
  ENOTSUPP: {
    code: 'EVENKEEL_BPF_UNSUPPORTED',
    hint: 'this kind of map or program has no such operation',
  },
  EINVAL: {
    code: 'EVENKEEL_BPF_ARGUMENT',
    hint: 'the kernel knows no such type, flag or combination',
  },
  ENOENT: { code: 'EVENKEEL_BPF_NOT_FOUND', hint: 'there is no such entry or file' },
  ENODEV: { code: 'EVENKEEL_BPF_NOT_FOUND', hint: 'there is no such network interface' },
  EEXIST: { code: 'EVENKEEL_BPF_EXISTS', hint: 'it is already there' },
  EBUSY: { code: 'EVENKEEL_BPF_EXISTS', hint: 'something else is in its place' },
  E2BIG: {
    code: 'EVENKEEL_BPF_LIMIT',
    hint: 'the map is full, or the size is beyond what the kernel allows',
  },
  ENOSPC: { code: 'EVENKEEL_BPF_LIMIT', hint: 'the map or the buffer is full' },
  ENOMEM: {
    code: 'EVENKEEL_BPF_LIMIT',
    hint: 'not enough memory (before Linux 5.11: raise the memlock limit)',
  },
  EMFILE: {
    code: 'EVENKEEL_BPF_LIMIT',
    hint: 'this process may not open more files: raise its limit (ulimit -n)',
  },
  ENFILE: { code: 'EVENKEEL_BPF_LIMIT', hint: 'the system has no more open files' },
  EBADF: { code: 'EVENKEEL_BPF_ARGUMENT', hint: 'a descriptor is not open, or of another kind' },
};

/** The verifier always ends with a count of what it processed, so its own log is told from the loader's remarks. */
function hasVerdict(log: string): boolean {
  return (
    /processed \d+ insns/u.test(log) ||
    /program is too large|BPF program|unknown func|invalid|^R\d/mu.test(log)
  );
}

/** The last lines of a log, without the statistics that follow the reason. */
export function logTail(log: string): string {
  const lines = log
    .split('\n')
    .map((line) => line.trimEnd())
    .filter(
      (line) => line !== '' && !/^(processed \d+ insns|verification time|stack depth)/u.test(line),
    );
  if (lines.length === 0) return '';
  const told = lines.slice(-LOG_LINES);
  const left = lines.length - told.length;
  const head = left > 0 ? [`  ... ${left} lines before`] : [];
  return [...head, ...told.map((line) => `  ${line}`)].join('\n');
}

/** The error number of a name that the table has. */
export function errnoOf(name: string): number {
  const number = ERRNO[name];
  if (number === undefined) throw new TypeError(`no error number for ${name}`);
  return number;
}
