import type { Kernel } from './kernel.ts';
import { pinnedBytes } from './memory.ts';

/**
 * The argument of bpf(2): a block of little-endian fields at fixed offsets (`union bpf_attr`).
 *
 * Only as long as the last field in use: a kernel that knows fewer fields refuses a longer block unless the rest is
 * zero, and a kernel that knows more fills up with zeros.
 */
export class Attr {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #kernel: Kernel;
  /** Keeps memory alive whose address is in the block. */
  readonly #referenced: Uint8Array[] = [];

  constructor(kernel: Kernel, length: number) {
    this.bytes = pinnedBytes(length);
    this.#view = new DataView(this.bytes.buffer);
    this.#kernel = kernel;
  }

  u32(offset: number, value: number): this {
    this.#view.setUint32(offset, value, true);
    return this;
  }

  u64(offset: number, value: bigint): this {
    this.#view.setBigUint64(offset, value, true);
    return this;
  }

  /** Writes the address of `memory`, and keeps it alive as long as this block. Nothing is written for undefined. */
  pointer(offset: number, memory: Uint8Array | undefined): this {
    if (memory === undefined) return this;
    this.#referenced.push(memory);
    return this.u64(offset, this.#kernel.addressOf(memory));
  }

  /** Writes a name of up to 15 bytes, as the kernel keeps them: letters, digits, `_` and `.` only. */
  name(offset: number, name: string): this {
    const clean = name.replace(/[^\w.]/gu, '_').slice(0, 15);
    this.bytes.set(new TextEncoder().encode(clean), offset);
    return this;
  }

  readU32(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  readI32(offset: number): number {
    return this.#view.getInt32(offset, true);
  }

  readU64(offset: number): bigint {
    return this.#view.getBigUint64(offset, true);
  }
}
