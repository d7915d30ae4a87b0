import { readFileSync } from 'node:fs';

/** `AT_PAGESZ` of the auxiliary vector, which the kernel hands to every process. */
const AT_PAGE_SIZE = 6n;

/** Size of a page of memory: 4 KiB on x64; arm64 kernels may use 16 or 64 KiB. */
export function pageBytes(): number {
  known ??= pageSizeOf(readFileSync('/proc/self/auxv'));
  return known;
}

let known: number | undefined;

/** Finds the page size in an auxiliary vector: pairs of 64-bit numbers, type and value. */
export function pageSizeOf(vector: Uint8Array): number {
  const view = new DataView(vector.buffer, vector.byteOffset, vector.length);
  for (let offset = 0; offset + 16 <= vector.length; offset += 16) {
    if (view.getBigUint64(offset, true) === AT_PAGE_SIZE) {
      return Number(view.getBigUint64(offset + 8, true));
    }
  }
  return 4_096;
}
