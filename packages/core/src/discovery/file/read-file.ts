import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { discoveryError } from '../discovery-error.ts';

/** What tells one state of a file from another without reading it. Equal text means: most likely unchanged. */
export type FileSignature = string;

export interface FileReading {
  readonly text: string;
  readonly signature: FileSignature;
  /** Did the file change while it was read? Then `text` may be a mixture and must not be used. */
  readonly torn: boolean;
}

/** The signature of the file that `path` leads to now. @throws system errors such as ENOENT */
export async function signatureOf(path: string): Promise<FileSignature> {
  return describeStats(await stat(path, { bigint: true }));
}

/**
 * Reads a text file of at most `maxBytes`.
 *
 * @throws EvenkeelError `EVENKEEL_DISCOVERY` when it is no regular file, too large or not UTF-8; system errors
 */
export async function readTextFile(path: string, maxBytes: number): Promise<FileReading> {
  // Without O_NONBLOCK, opening a FIFO would wait for a writer and hold one of four I/O threads for ever.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const before = await handle.stat({ bigint: true });
    if (!before.isFile()) throw discoveryError('is not a regular file');
    const bytes = await readAtMost(handle, { expected: Number(before.size), maxBytes });
    const after = await handle.stat({ bigint: true });
    const signature = describeStats(after);
    return { text: decodeUtf8(bytes), signature, torn: signature !== describeStats(before) };
  } finally {
    await handle.close();
  }
}

async function readAtMost(
  handle: FileHandle,
  { expected, maxBytes }: { expected: number; maxBytes: number },
): Promise<Uint8Array> {
  if (expected > maxBytes) throw tooLarge(expected, maxBytes);
  // One byte more than expected: reading it shows that the file has grown, or that its size is not known (procfs).
  let buffer = new Uint8Array(expected + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
    if (length > maxBytes) throw tooLarge(length, maxBytes);
    if (length === buffer.length) {
      const larger = new Uint8Array(Math.min(2 * length + 1_024, maxBytes + 1));
      larger.set(buffer);
      buffer = larger;
    }
  }
}

function tooLarge(bytes: number, maxBytes: number): Error {
  return discoveryError(`is larger than maxBytes: ${bytes} of ${maxBytes} bytes`);
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw discoveryError('is not valid UTF-8', error);
  }
}

interface BigIntStats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

function describeStats({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileSignature {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}
