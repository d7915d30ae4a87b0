import type { Codec } from '../codec/codec.ts';
import { ERRNO } from '../error/errno.table.ts';
import { Attr } from '../kernel/attr.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { pinnedBytes } from '../kernel/memory.ts';
import { COMMAND } from '../kernel/uapi.table.ts';

/** How many entries travel in one system call: large enough that the call costs nothing, small enough to stay in cache. */
export const BATCH_ENTRIES = 4_096;

/** The cursor of a batch is opaque; the kernel writes at most a key or 4 bytes, whichever is more. */
const CURSOR_BYTES = 64;

interface Layout<K, V> {
  readonly key: Codec<K>;
  /** As the system call sees it: for a per-CPU map the values of all CPUs. */
  readonly value: Codec<V>;
}

/** Result of a batch call: how many entries it dealt with, and the error number that ended it, or 0. */
export interface BatchResult {
  readonly count: number;
  readonly errno: number;
}

/** The system calls on many entries at once. Memory is made per call: batches are for rare, large changes. */
export class BatchCalls<K, V> {
  readonly #kernel: Kernel;
  readonly #fd: () => number;
  readonly #layout: Layout<K, V>;

  /** @param fd asked before every call: it throws when the map has been closed meanwhile */
  constructor(kernel: Kernel, fd: () => number, layout: Layout<K, V>) {
    this.#kernel = kernel;
    this.#fd = fd;
    this.#layout = layout;
  }

  update(entries: readonly (readonly [K, V])[], flags: bigint): BatchResult {
    const { key, value } = this.#layout;
    const keys = pinnedBytes(key.bytes * entries.length);
    const values = pinnedBytes(value.bytes * entries.length);
    const keyView = new DataView(keys.buffer);
    const valueView = new DataView(values.buffer);
    entries.forEach(([entryKey, entryValue], index) => {
      key.encode(entryKey, keyView, index * key.bytes);
      value.encode(entryValue, valueView, index * value.bytes);
    });
    const attr = this.#attr(keys, values).u32(32, entries.length).u64(40, flags);
    return this.#run(COMMAND.MAP_UPDATE_BATCH, attr);
  }

  delete(removed: readonly K[]): BatchResult {
    const { key } = this.#layout;
    const keys = pinnedBytes(key.bytes * removed.length);
    const view = new DataView(keys.buffer);
    removed.forEach((item, index) => key.encode(item, view, index * key.bytes));
    const attr = this.#attr(keys, undefined).u32(32, removed.length);
    return this.#run(COMMAND.MAP_DELETE_BATCH, attr);
  }

  /** Reads all entries, batch by batch; with `take` they are removed as they are read. */
  *read(take: boolean): Generator<readonly [K, V], number> {
    const { key, value } = this.#layout;
    const command = take ? COMMAND.MAP_LOOKUP_AND_DELETE_BATCH : COMMAND.MAP_LOOKUP_BATCH;
    let room = BATCH_ENTRIES;
    let keys = pinnedBytes(key.bytes * room);
    let values = pinnedBytes(value.bytes * room);
    let cursor = pinnedBytes(Math.max(CURSOR_BYTES, key.bytes));
    let isFirst = true;
    for (;;) {
      const attr = this.#attr(keys, values).u32(32, room);
      if (!isFirst) attr.pointer(0, cursor);
      const next = pinnedBytes(cursor.length);
      const { count, errno } = this.#run(command, attr.pointer(8, next));
      if (errno === ERRNO['ENOSPC']) {
        // A bucket of the hash holds more than the room left: the same place again, with more room.
        room *= 2;
        keys = pinnedBytes(key.bytes * room);
        values = pinnedBytes(value.bytes * room);
        continue;
      }
      if (errno !== 0 && errno !== ERRNO['ENOENT']) return errno;
      const keyView = new DataView(keys.buffer);
      const valueView = new DataView(values.buffer);
      for (let index = 0; index < count; index += 1) {
        yield [
          key.decode(keyView, index * key.bytes),
          value.decode(valueView, index * value.bytes),
        ];
      }
      if (errno === ERRNO['ENOENT']) return 0;
      cursor = next;
      isFirst = false;
    }
  }

  #attr(keys: Uint8Array, values: Uint8Array | undefined): Attr {
    return new Attr(this.#kernel, 56).pointer(16, keys).pointer(24, values).u32(36, this.#fd());
  }

  #run(command: number, attr: Attr): BatchResult {
    const result = this.#kernel.bpf(command, attr.bytes);
    if (result >= 0) return { count: attr.readU32(32), errno: 0 };
    // Refused as a whole, the call leaves the count as it was; ended half-way, it says how far it came.
    return { count: REFUSALS.has(-result) ? 0 : attr.readU32(32), errno: -result };
  }
}

const REFUSALS: ReadonlySet<number> = new Set(
  ['ENOTSUPP', 'EOPNOTSUPP', 'EINVAL', 'EPERM', 'EBADF', 'EFAULT'].map((name) => ERRNO[name] ?? 0),
);
