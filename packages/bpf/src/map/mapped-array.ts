import type { Codec } from '../codec/codec.ts';
import { argumentError, BpfError } from '../error/bpf-error.ts';
import { explainFailure } from '../kernel/failure.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { MAP_FLAG } from '../kernel/uapi.table.ts';
import type { MapSpec } from '../spec/spec.ts';

/**
 * The memory of an array map with `BPF_F_MMAPABLE`: reads and writes are plain loads and stores, without system calls.
 *
 * Values lie 8 bytes apart or a multiple of it. A store of up to 8 bytes, aligned, is seen whole by programs; a larger
 * value may be seen half written.
 */
export class MappedArray<V = unknown> {
  readonly length: number;
  readonly #kernel: Kernel;
  readonly #codec: Codec<V>;
  readonly #buffer: ArrayBuffer;
  readonly #view: DataView<ArrayBuffer>;
  readonly #stride: number;
  readonly #what: string;
  #isOpen = true;

  constructor(kernel: Kernel, spec: MapSpec, fd: number) {
    if (spec.type !== 'array' || ((spec.flags ?? 0) & MAP_FLAG.MMAPABLE) === 0) {
      throw argumentError(
        `map "${spec.name}" cannot be mapped: that takes an array with BPF_F_MMAPABLE`,
      );
    }
    this.#kernel = kernel;
    this.#codec = spec.value as Codec<V>;
    this.#stride = Math.ceil(spec.value.bytes / 8) * 8;
    this.#what = `memory of map "${spec.name}"`;
    this.length = spec.maxEntries;
    const bytes = this.#stride * this.length;
    // The kernel rounds up to whole pages itself.
    const mapped = kernel.mmap({ fd, bytes, writable: true });
    if (typeof mapped === 'number') {
      throw explainFailure({
        operation: `mapping map "${spec.name}"`,
        errno: -mapped,
        hints: { EPERM: 'the map is frozen or read-only for user space' },
      });
    }
    this.#buffer = mapped;
    this.#view = new DataView(mapped);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get(index: number): V {
    return this.#codec.decode(this.#view, this.#offset(index));
  }

  set(index: number, value: V): void {
    this.#codec.encode(value, this.#view, this.#offset(index));
  }

  /**
   * The memory itself, for atomic access and for hot paths; value `i` starts at `i * stride`. Detached by `close`:
   * then it has length 0.
   */
  get memory(): ArrayBuffer {
    return this.#buffer;
  }

  /** Bytes from one value to the next. */
  get stride(): number {
    return this.#stride;
  }

  /** Gives the memory up; the map stays. Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#kernel.munmap(this.#buffer);
  }

  #offset(index: number): number {
    if (!this.#isOpen) throw new BpfError('EVENKEEL_BPF_CLOSED', `the ${this.#what} is closed`);
    if (Number.isInteger(index) && index >= 0 && index < this.length) return index * this.#stride;
    throw argumentError(`the ${this.#what} has indexes 0 to ${this.length - 1}, got ${index}`);
  }
}
