import { EvenkeelError } from '../error/evenkeel-error.ts';

/** A source of endpoints failed or lied. Retryable: every resolver looks again by itself. */
export function discoveryError(message: string, cause?: unknown): EvenkeelError {
  return new EvenkeelError('EVENKEEL_DISCOVERY', message, {
    retryable: true,
    ...(cause === undefined ? {} : { cause }),
  });
}
