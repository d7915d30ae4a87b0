import { EvenkeelError } from '@evenkeel/core';
import type * as jose from 'jose';

export type Jose = typeof jose;

/**
 * jose is an optional package, and loaded only where this filter is used.
 *
 * @throws EvenkeelError `EVENKEEL_UNSUPPORTED` where it is missing
 */
export async function loadJose(): Promise<Jose> {
  try {
    return await import('jose');
  } catch (cause) {
    throw new EvenkeelError(
      'EVENKEEL_UNSUPPORTED',
      'jwt needs the package jose: npm install jose',
      {
        cause,
      },
    );
  }
}
