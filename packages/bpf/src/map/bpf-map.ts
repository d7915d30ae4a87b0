import type { Codec } from '../codec/codec.ts';
import { argumentError } from '../error/bpf-error.ts';
import { ERRNO } from '../error/errno.table.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { MAP_FLAG, UPDATE_FLAG } from '../kernel/uapi.table.ts';
import type { MapSpec } from '../spec/spec.ts';
import { BATCH_ENTRIES, BatchCalls } from './batch-calls.ts';
import { ElementCalls } from './element-calls.ts';
import { MapHandle } from './map-handle.ts';

/** Whether an update may make a new entry, may replace one, or both. */
export type UpdateMode = keyof typeof UPDATE_FLAG;

/** Array kinds have all their entries from the start; nothing can be added or removed. */
const ARRAYS: ReadonlySet<string> = new Set([
  'array',
  'percpu-array',
  'array-of-maps',
  'prog-array',
]);

/**
 * A map with keys and values: hash, array, LRU, longest-prefix trie, and (with the values of all CPUs as its value)
 * the per-CPU kinds.
 *
 * A call takes about a microsecond. Each map has one piece of memory for its key and its value, so nothing is
 * allocated for a number; objects are made by decoding.
 */
export class BpfMap<K = unknown, V = unknown> extends MapHandle<MapSpec> {
  readonly #key: Codec<K>;
  readonly #value: Codec<V>;
  readonly #calls: ElementCalls;
  readonly #batch: BatchCalls<K, V>;

  /** @param value how the system call sees a value; the per-CPU kinds have one for each CPU */
  constructor(
    kernel: Kernel,
    spec: MapSpec,
    from: { readonly fd: number; readonly value: Codec<V> },
  ) {
    super(kernel, spec, from.fd);
    this.#key = spec.key as Codec<K>;
    this.#value = from.value;
    this.#calls = new ElementCalls(kernel, from.fd, {
      key: spec.key.bytes,
      value: from.value.bytes,
    });
    this.#batch = new BatchCalls(kernel, () => this.fd, { key: this.#key, value: from.value });
  }

  /** The value of a key, or undefined when there is none. */
  lookup(key: K): V | undefined {
    this.#encodeKey(key);
    const result = this.#calls.lookup();
    if (-result === ERRNO['ENOENT']) return undefined;
    this.check('reading', result);
    return this.#value.decode(this.#calls.value, 0);
  }

  /**
   * Sets the value of a key.
   *
   * A hash swaps the whole value, so a program sees the old one or the new one; an array is overwritten in place, so a
   * program may see a mixture of a value larger than 8 bytes.
   *
   * @throws BpfError `EVENKEEL_BPF_EXISTS` or `EVENKEEL_BPF_NOT_FOUND` against `mode`; `EVENKEEL_BPF_LIMIT` when full
   */
  update(key: K, value: V, mode: UpdateMode = 'any'): void {
    this.#encodeKey(key);
    this.#value.encode(value, this.#calls.value, 0);
    this.check('writing to', this.#calls.update(UPDATE_FLAG[mode]), this.#updateHints);
  }

  /**
   * Replaces a value as a whole: every program sees the old one or the new one, never a mixture, however large it is.
   * A table of 65 537 numbers takes tens of microseconds this way.
   *
   * @throws BpfError `EVENKEEL_BPF_ARGUMENT` unless the map is a hash without preallocation (`BPF_F_NO_PREALLOC`):
   *   an array is overwritten in place, and a preallocated hash may reuse memory that a program still reads
   */
  publish(key: K, value: V): void {
    const { type, flags = 0 } = this.spec;
    if (type !== 'hash' || (flags & MAP_FLAG.NO_PREALLOC) === 0) {
      throw argumentError(
        `publishing needs a hash map with BPF_F_NO_PREALLOC; ${this.descriptor.what} is ${type}, flags ${flags}`,
      );
    }
    this.update(key, value);
  }

  /** Removes an entry; false when there was none. */
  delete(key: K): boolean {
    this.#encodeKey(key);
    const result = this.#calls.delete();
    if (-result === ERRNO['ENOENT']) return false;
    this.check('removing from', result, this.#updateHints);
    return true;
  }

  /** Removes an entry and returns its value, in one step (hash: Linux 5.14). */
  take(key: K): V | undefined {
    this.#encodeKey(key);
    const result = this.#calls.take();
    if (-result === ERRNO['ENOENT']) return undefined;
    this.check('taking from', result);
    return this.#value.decode(this.#calls.value, 0);
  }

  /**
   * All keys, one system call each. Not a snapshot: entries that come or go meanwhile may be missed or seen twice,
   * and a hash whose current key is removed starts over (the walk ends after twice the map's capacity).
   */
  *keys(): Generator<K> {
    // Written by another call between two steps, so each step brings its own key back.
    let current: Uint8Array | undefined;
    for (let step = 0; step < 2 * this.spec.maxEntries; step += 1) {
      void this.fd;
      if (current !== undefined) new Uint8Array(this.#calls.key.buffer).set(current);
      const result = this.#calls.next(current === undefined);
      if (-result === ERRNO['ENOENT']) return;
      this.check('walking', result);
      current = new Uint8Array(this.#calls.key.buffer).slice();
      yield this.#key.decode(this.#calls.key, 0);
    }
  }

  /** All entries, thousands per system call where the kernel can. Not a snapshot, see {@link keys}. */
  *entries(): Generator<readonly [K, V]> {
    const errno = yield* this.#batch.read(false);
    if (errno === 0) return;
    if (errno !== ERRNO['ENOTSUPP'] && errno !== ERRNO['EINVAL']) this.check('reading', -errno);
    for (const key of this.keys()) {
      const value = this.lookup(key);
      if (value !== undefined) yield [key, value];
    }
  }

  /**
   * Removes and returns all entries, thousands per system call: for counters that are collected and start over.
   *
   * @throws BpfError `EVENKEEL_BPF_UNSUPPORTED` for a kind that cannot, such as an array
   */
  takeAll(): (readonly [K, V])[] {
    const all: (readonly [K, V])[] = [];
    const read = this.#batch.read(true);
    for (;;) {
      const step = read.next();
      if (step.done !== true) all.push(step.value);
      else if (step.value === 0) return all;
      else this.check('taking from', -step.value);
    }
  }

  /**
   * Sets many entries, thousands per system call (falls back to single ones where the kernel cannot). Not atomic: on
   * an error, entries before the failing one are set; the message says how many.
   */
  updateMany(entries: Iterable<readonly [K, V]>, mode: UpdateMode = 'any'): void {
    const all = [...entries];
    for (let start = 0; start < all.length; start += BATCH_ENTRIES) {
      const part = all.slice(start, start + BATCH_ENTRIES);
      const { count, errno } = this.#batch.update(part, UPDATE_FLAG[mode]);
      if (errno === 0) continue;
      if (errno !== ERRNO['ENOTSUPP']) {
        const action = `after ${start + count} of ${all.length} entries, writing to`;
        this.check(action, -errno, this.#updateHints);
      }
      for (const [key, value] of part) this.update(key, value, mode);
    }
  }

  /** Removes many entries, thousands per system call; those that are not there do not matter. */
  deleteMany(keys: Iterable<K>): void {
    const all = [...keys];
    let start = 0;
    while (start < all.length) {
      const part = all.slice(start, start + BATCH_ENTRIES);
      const { count, errno } = this.#batch.delete(part);
      if (errno === ERRNO['ENOENT']) {
        // The batch ends at a key that is not there: on behind it.
        start += count + 1;
        continue;
      }
      if (errno === ERRNO['ENOTSUPP']) for (const key of part) this.delete(key);
      else if (errno !== 0) this.check('removing from', -errno, this.#updateHints);
      start += part.length;
    }
  }

  #encodeKey(key: K): void {
    // Asks for the descriptor so that a closed map throws: its number may be somebody else's by now.
    void this.fd;
    this.#key.encode(key, this.#calls.key, 0);
  }

  get #updateHints(): Readonly<Record<string, string>> {
    const { maxEntries, type } = this.spec;
    return {
      E2BIG: ARRAYS.has(type)
        ? `the index is beyond its ${maxEntries} entries`
        : `it is full: ${maxEntries} entries`,
      ENOSPC: `it is full: ${maxEntries} entries`,
      ENOENT: ARRAYS.has(type)
        ? `the index is beyond its ${maxEntries} entries`
        : 'there is no such entry',
      EEXIST: 'there is such an entry already',
      EPERM: 'the map is frozen or read-only for user space',
      EBUSY: 'the map is being changed by a program, or frozen while it is mapped',
      ENOMEM: 'no memory for another entry right now',
    };
  }
}
