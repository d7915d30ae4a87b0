import { closeSync } from 'node:fs';
import { BpfError } from '../error/bpf-error.ts';
import { explainFailure } from './failure.ts';
import type { Kernel } from './kernel.ts';

/**
 * An open file descriptor with one owner.
 *
 * Numbers are reused by the system as soon as they are closed; asking a closed descriptor for its number throws, so
 * that a call never reaches somebody else's file. The kernel opens BPF descriptors close-on-exec: children of this
 * process do not keep them alive.
 */
export class Descriptor {
  readonly #what: string;
  #number: number;

  constructor(number: number, what: string) {
    this.#number = number;
    this.#what = what;
  }

  /**
   * The descriptor's number, for other system calls of this process.
   *
   * @throws BpfError `EVENKEEL_BPF_CLOSED`
   */
  get fd(): number {
    if (this.#number >= 0) return this.#number;
    throw new BpfError('EVENKEEL_BPF_CLOSED', `${this.#what} is closed`);
  }

  get isOpen(): boolean {
    return this.#number >= 0;
  }

  /** What it is, for messages: `map "stats"`. */
  get what(): string {
    return this.#what;
  }

  /** Idempotent. */
  close(): void {
    const number = this.#number;
    if (number < 0) return;
    this.#number = -1;
    closeSync(number);
  }
}

/** Another descriptor of the same object, which the caller owns. */
export function duplicate(kernel: Kernel, fd: number): number {
  const result = kernel.duplicate(fd);
  if (result >= 0) return result;
  throw explainFailure({ operation: `duplicating descriptor ${fd}`, errno: -result });
}
