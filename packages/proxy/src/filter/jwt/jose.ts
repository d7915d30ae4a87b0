import { EvenkeelError } from '@evenkeel/core';

export type Jose = typeof import('jose');

/**
 * jose is an optional package, and loaded only where this filter is used.
 *
 * @throws EvenkeelError `EVENKEEL_UNSUPPORTED` where it is missing
 */
export async function loadJose(): Promise<Jose> {
  try {
    return await import('jose');
  } catch (cause) {
    throw new EvenkeelError('EVENKEEL_UNSUPPORTED', 'jwt needs the package jose: npm install jose', {
      cause,
    });
  }
}
