import { BpfError, type BpfMap, MappedArray, openKernel } from '@evenkeel/bpf';
import type { Ring } from './generated/forwarder.ts';
import { RING_SIZE } from './ring.ts';

/**
 * Slots beyond those that VIPs can have. A slot that was given back is used again after so many others, each of which
 * takes a ring to be built: milliseconds, while a packet that still reads the old ring takes nanoseconds.
 */
export const SPARE_SLOTS = 8;

/**
 * Rings in the program's memory, one in each slot. A ring is never changed while a VIP names its slot: a new one goes into
 * a free slot.
 */
export class RingStore {
  readonly #memory: MappedArray<Ring>;
  readonly #free: number[];
  readonly #slots: number;

  constructor(map: BpfMap<number, Ring>) {
    // Without a codec for each ring: what is copied is 131 KB, and twice as much goes through a system call.
    const spec = { ...map.spec, maxEntries: map.info().maxEntries };
    this.#memory = new MappedArray<Ring>(openKernel(), spec, map.fd);
    this.#slots = spec.maxEntries;
    this.#free = Array.from({ length: this.#slots }, (_, slot) => slot);
  }

  /** Bytes of all slots. */
  get bytes(): number {
    return this.#slots * this.#memory.stride;
  }

  /** @throws BpfError `EVENKEEL_BPF_LIMIT` unless so many rings more have room */
  assertRoom(count: number): void {
    if (this.#free.length - SPARE_SLOTS >= count) return;
    throw new BpfError(
      'EVENKEEL_BPF_LIMIT',
      `no room for another ring: ${this.#slots - SPARE_SLOTS} are in use; raise \`maxRings\``,
    );
  }

  /** Writes a ring into a free slot. */
  store(ring: Uint16Array): number {
    const slot = this.#free.shift();
    if (slot === undefined) throw new BpfError('EVENKEEL_BPF_LIMIT', 'no free slot for a ring');
    new Uint16Array(this.#memory.memory, slot * this.#memory.stride, RING_SIZE).set(ring);
    return slot;
  }

  /** No VIP names the slot any more. */
  release(slot: number): void {
    this.#free.push(slot);
  }

  close(): void {
    this.#memory.close();
  }
}
