import { ERRNO } from '../error/errno.table.ts';
import type { Kernel } from './kernel.ts';

/** A signal that arrives while the verifier works makes it give up; more than a few in a row mean something else. */
const ATTEMPTS = 10;

/**
 * A call that runs the verifier, tried again when a signal interrupted it: the signal is delivered between two
 * attempts.
 *
 * @returns as {@link Kernel.bpf}
 */
export function callVerifier(kernel: Kernel, command: number, attr: Uint8Array): number {
  return retryInterrupted(() => kernel.bpf(command, attr));
}

/** @param call returns a result, or a negative error number */
export function retryInterrupted(call: () => number): number {
  let result = call();
  for (let attempt = 1; attempt < ATTEMPTS && -result === ERRNO['EAGAIN']; attempt += 1) {
    result = call();
  }
  return result;
}
