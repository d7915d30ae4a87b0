import { inflateRawSync } from 'node:zlib';
import { formatError } from '../error/bpf-error.ts';
import { pinnedCopy } from '../kernel/memory.ts';

/** Largest block that a generated module may unpack to; a loader of 32 large programs stays below 4 MiB. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Unpacks a block of a generated module (deflated, base64) into memory that does not move. */
export function unpack(what: string, text: string): Uint8Array<ArrayBuffer> {
  try {
    const inflated = inflateRawSync(Buffer.from(text, 'base64'), { maxOutputLength: MAX_BYTES });
    return pinnedCopy(inflated);
  } catch (cause) {
    throw formatError(
      `${what} of the generated module cannot be unpacked: ${(cause as Error).message}`,
    );
  }
}
