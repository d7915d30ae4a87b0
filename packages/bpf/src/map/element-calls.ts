import { Attr } from '../kernel/attr.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { pinnedBytes } from '../kernel/memory.ts';
import { COMMAND } from '../kernel/uapi.table.ts';

/**
 * The system calls on single entries, with their memory made once: a key, a value and the argument block that points
 * to them. A call allocates nothing.
 */
export class ElementCalls {
  readonly key: DataView<ArrayBuffer>;
  readonly value: DataView<ArrayBuffer>;
  readonly #nextKey: Uint8Array<ArrayBuffer>;
  readonly #kernel: Kernel;
  readonly #element: Attr;
  readonly #next: Attr;

  constructor(kernel: Kernel, fd: number, size: { readonly key: number; readonly value: number }) {
    const key = pinnedBytes(Math.max(size.key, 1));
    const value = pinnedBytes(Math.max(size.value, 1));
    this.#nextKey = pinnedBytes(Math.max(size.key, 1));
    this.#kernel = kernel;
    this.key = new DataView(key.buffer);
    this.value = new DataView(value.buffer);
    this.#element = new Attr(kernel, 32).u32(0, fd).pointer(16, value);
    // Queues and stacks have no key, and insist on its absence.
    if (size.key > 0) this.#element.pointer(8, key);
    this.#next = new Attr(kernel, 24).u32(0, fd).pointer(8, key).pointer(16, this.#nextKey);
  }

  lookup(): number {
    return this.#kernel.bpf(COMMAND.MAP_LOOKUP_ELEM, this.#element.u64(24, 0n).bytes);
  }

  take(): number {
    return this.#kernel.bpf(COMMAND.MAP_LOOKUP_AND_DELETE_ELEM, this.#element.u64(24, 0n).bytes);
  }

  update(flags: bigint): number {
    return this.#kernel.bpf(COMMAND.MAP_UPDATE_ELEM, this.#element.u64(24, flags).bytes);
  }

  delete(): number {
    // Only up to the key: a removal with a value is refused.
    return this.#kernel.bpf(COMMAND.MAP_DELETE_ELEM, this.#element.bytes.subarray(0, 16));
  }

  /** Replaces the key by the one after it; the first one when `restart` is set. */
  next(restart: boolean): number {
    if (restart) this.#next.u64(8, 0n);
    else this.#next.u64(8, this.#kernel.addressOf(new Uint8Array(this.key.buffer)));
    const result = this.#kernel.bpf(COMMAND.MAP_GET_NEXT_KEY, this.#next.bytes);
    if (result >= 0) new Uint8Array(this.key.buffer).set(this.#nextKey);
    return result;
  }
}
