import { ERRNO } from './errno.table.ts';

/**
 * What went wrong, for programs. Branch on this, never on the text.
 *
 * | code | meaning |
 * | --- | --- |
 * | `EVENKEEL_BPF_PERMISSION` | a capability is missing; the message names it |
 * | `EVENKEEL_BPF_UNSUPPORTED` | this kernel, driver or platform lacks what was asked for |
 * | `EVENKEEL_BPF_VERIFIER` | the kernel refused a program; `log` has the verifier's words |
 * | `EVENKEEL_BPF_NOT_FOUND` | no such interface, file, pin or map entry |
 * | `EVENKEEL_BPF_EXISTS` | a pin, an entry or an attachment is already there |
 * | `EVENKEEL_BPF_LIMIT` | a map is full, or memory, descriptors or a size limit ran out |
 * | `EVENKEEL_BPF_ARGUMENT` | a value that cannot be encoded, or a call that makes no sense |
 * | `EVENKEEL_BPF_CLOSED` | the map, program, link or reader was closed before |
 * | `EVENKEEL_BPF_FORMAT` | BTF, an object file or a generated module is malformed |
 * | `EVENKEEL_BPF_BUILD` | compiling or generating failed |
 * | `EVENKEEL_BPF_KERNEL` | any other error of the kernel; see `errno` |
 */
export type BpfErrorCode =
  | 'EVENKEEL_BPF_PERMISSION'
  | 'EVENKEEL_BPF_UNSUPPORTED'
  | 'EVENKEEL_BPF_VERIFIER'
  | 'EVENKEEL_BPF_NOT_FOUND'
  | 'EVENKEEL_BPF_EXISTS'
  | 'EVENKEEL_BPF_LIMIT'
  | 'EVENKEEL_BPF_ARGUMENT'
  | 'EVENKEEL_BPF_CLOSED'
  | 'EVENKEEL_BPF_FORMAT'
  | 'EVENKEEL_BPF_BUILD'
  | 'EVENKEEL_BPF_KERNEL';

export interface BpfErrorDetails {
  /** The error number of the system call, positive. */
  readonly errno?: number | undefined;
  /** The verifier's whole log; the message carries its tail. */
  readonly log?: string | undefined;
  readonly cause?: unknown;
}

const BRAND: unique symbol = Symbol.for('evenkeel.error') as never;

/** Every error that this package raises on purpose. */
export class BpfError extends Error {
  override readonly name: string = 'BpfError';
  readonly code: BpfErrorCode;
  /** Whether the same call may succeed later without anything being changed. */
  readonly retryable: boolean;
  /** The error number of the system call; undefined when no system call failed. */
  readonly errno: number | undefined;
  /** Its name, such as `EINVAL`. */
  readonly errnoName: string | undefined;
  /** What the verifier said, in full. */
  readonly log: string | undefined;

  constructor(code: BpfErrorCode, message: string, details: BpfErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.errno = details.errno;
    this.errnoName = details.errno === undefined ? undefined : errnoName(details.errno);
    this.log = details.log;
    this.retryable = details.errno !== undefined && RETRYABLE.has(details.errno);
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Whether a value is a {@link BpfError}, from this copy of the package or another, with this code if one is given. */
export function isBpfError(value: unknown, code?: BpfErrorCode): value is BpfError {
  if (!(value instanceof Error) || !(BRAND in value) || value.name !== 'BpfError') return false;
  return code === undefined || ('code' in value && value.code === code);
}

const RETRYABLE: ReadonlySet<number> = new Set(
  ['EAGAIN', 'EBUSY', 'EINTR', 'ENOBUFS'].map((name) => ERRNO[name] ?? 0),
);

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ERRNO).map(([name, number]) => [number, name]),
);

/** The symbolic name of an error number, or `errno 4711` for one that has none here. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}

/** An argument error: shorthand for the code that means "the caller must change something". */
export function argumentError(message: string): BpfError {
  return new BpfError('EVENKEEL_BPF_ARGUMENT', message);
}

/** Something read from a file or a generated module is not what it has to be. */
export function formatError(message: string): BpfError {
  return new BpfError('EVENKEEL_BPF_FORMAT', message);
}
