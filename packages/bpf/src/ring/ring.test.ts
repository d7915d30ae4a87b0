/** The reader's side of the ring, on memory that a test fills the way the kernel does. */
import { describe, expect, it } from 'vitest';
import { u32 } from '../codec/number.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { pageBytes } from '../kernel/page-size.ts';
import { nothing } from '../codec/composite.ts';
import type { Timers } from '../runtime/timers.ts';
import { RingBuffer, type RingReadOptions } from './ring-buffer.ts';
import { RingMemory } from './ring-memory.ts';

const PAGE = 4_096;
const BUSY = 0x8000_0000;
const DISCARDED = 0x4000_0000;

/** A producer: the half of the contract that a program's helpers fulfil. */
class Producer {
  readonly consumer = new ArrayBuffer(PAGE);
  readonly producer: ArrayBuffer;
  readonly #ringBytes: number;
  #position = 0;

  constructor(ringBytes: number) {
    this.#ringBytes = ringBytes;
    this.producer = new ArrayBuffer(PAGE + 2 * ringBytes);
  }

  get memory(): RingMemory {
    const { consumer, producer } = this;
    return new RingMemory({ consumer, producer, pageBytes: PAGE, ringBytes: this.#ringBytes });
  }

  /** Writes a record; returns where its header is. */
  put(content: Uint8Array, flags = 0): number {
    const offset = this.#position % this.#ringBytes;
    // The same memory twice in a row: what goes over the end is at the beginning as well.
    const view = new DataView(this.producer);
    const bytes = [
      ...new Uint8Array(new Uint32Array([(content.length | flags) >>> 0, 0]).buffer),
      ...content,
    ];
    bytes.forEach((byte, index) => {
      const at = (offset + index) % this.#ringBytes;
      view.setUint8(PAGE + at, byte);
      view.setUint8(PAGE + at + this.#ringBytes, byte);
    });
    this.#position += Math.ceil(bytes.length / 8) * 8;
    view.setBigUint64(0, BigInt(this.#position), true);
    return offset;
  }

  /** Finishes a record that was busy. */
  commit(offset: number, length: number): void {
    const view = new DataView(this.producer);
    view.setUint32(PAGE + offset, length, true);
    view.setUint32(PAGE + offset + this.#ringBytes, length, true);
  }

  get consumed(): number {
    return Number(new DataView(this.consumer).getBigUint64(0, true));
  }
}

const collect = (memory: RingMemory, limit = 100): string[] => {
  const records: string[] = [];
  memory.read(limit, (record) => {
    records.push(Buffer.from(record).toString());
    return true;
  });
  return records;
};

describe('ring memory', () => {
  it('hands over records in order, whatever their length', () => {
    const ring = new Producer(256);
    for (const text of ['a', 'bc', '12345678', '']) ring.put(Buffer.from(text));
    expect(ring.memory.waitingBytes).toBe(16 + 16 + 16 + 8);
    expect(collect(ring.memory)).toEqual(['a', 'bc', '12345678', '']);
    expect(ring.consumed).toBe(56);
    expect(collect(ring.memory)).toEqual([]);
  });

  it('leaves out what a program gave up', () => {
    const ring = new Producer(256);
    ring.put(Buffer.from('kept'));
    ring.put(Buffer.from('gone'), DISCARDED);
    ring.put(Buffer.from('last'));
    expect(collect(ring.memory)).toEqual(['kept', 'last']);
  });

  it('stops at a record that is still being written', () => {
    const ring = new Producer(256);
    ring.put(Buffer.from('one'));
    const busy = ring.put(Buffer.from('two'), BUSY);
    ring.put(Buffer.from('three'));
    const { memory } = ring;
    expect(collect(memory)).toEqual(['one']);
    ring.commit(busy, 3);
    expect(collect(memory)).toEqual(['two', 'three']);
  });

  it('reads on over the end, again and again', () => {
    const ring = new Producer(64);
    const { memory } = ring;
    for (let turn = 0; turn < 100; turn += 1) {
      const text = 'x'.repeat(1 + (turn % 40)) + turn;
      ring.put(Buffer.from(text));
      expect(collect(memory)).toEqual([text]);
    }
  });

  it('keeps to its limit', () => {
    const ring = new Producer(256);
    for (const text of ['1', '2', '3']) ring.put(Buffer.from(text));
    expect(collect(ring.memory, 2)).toEqual(['1', '2']);
    expect(collect(ring.memory, 2)).toEqual(['3']);
  });

  it('counts a record as read even when its handler throws', () => {
    const ring = new Producer(256);
    ring.put(Buffer.from('bad'));
    ring.put(Buffer.from('good'));
    const { memory } = ring;
    expect(() =>
      memory.read(10, () => {
        throw new Error('handler');
      }),
    ).toThrow('handler');
    expect(collect(memory)).toEqual(['good']);
  });
});

/** Timers that a test turns by hand. */
class ManualTimers implements Timers {
  readonly pending: {
    readonly delayMs: number;
    readonly work: () => void;
    readonly keepAlive: boolean;
  }[] = [];

  after(delayMs: number, work: () => void, keepAlive: boolean): () => void {
    const entry = { delayMs, work, keepAlive };
    this.pending.push(entry);
    return () => {
      const index = this.pending.indexOf(entry);
      if (index >= 0) this.pending.splice(index, 1);
    };
  }

  turn(): void {
    this.pending.shift()?.work();
  }
}

describe('ring reader', () => {
  const setUp = (options: RingReadOptions = {}) => {
    const ring = new Producer(pageBytes());
    const released: ArrayBuffer[] = [];
    // Only what a ring asks of the system: two mappings, and their end.
    const kernel = {
      mmap: ({ offset = 0 }) => (offset === 0 ? ring.consumer : ring.producer),
      munmap: (memory: ArrayBuffer) => void released.push(memory),
    } as unknown as Kernel;
    const timers = new ManualTimers();
    const spec = {
      name: 'events',
      type: 'ringbuf',
      key: nothing,
      value: nothing,
      maxEntries: pageBytes(),
    } as const;
    const buffer = new RingBuffer(kernel, spec, 2 ** 30);
    const seen: number[] = [];
    const open = (handle: (value: number) => void = (value) => seen.push(value)) =>
      buffer.read(u32, handle, { timers, ...options });
    const put = (value: number): number => ring.put(new Uint8Array(Uint32Array.of(value).buffer));
    return { ring, timers, seen, open, put, released };
  };

  it('looks at intervals, without keeping the process alive', () => {
    const { timers, seen, open, put } = setUp();
    const reader = open();
    expect(timers.pending).toMatchObject([{ delayMs: 10, keepAlive: false }]);
    put(7);
    timers.turn();
    expect(seen).toEqual([7]);
    expect(timers.pending).toMatchObject([{ delayMs: 10 }]);
    reader.close();
    expect(timers.pending).toEqual([]);
  });

  it('goes on at once when there is more than a turn takes', () => {
    const { timers, seen, open, put } = setUp({
      recordsPerTurn: 2,
      intervalMs: 50,
      keepAlive: true,
    });
    const reader = open();
    [1, 2, 3].forEach(put);
    timers.turn();
    expect(seen).toEqual([1, 2]);
    expect(timers.pending).toMatchObject([{ delayMs: 0, keepAlive: true }]);
    timers.turn();
    expect(seen).toEqual([1, 2, 3]);
    expect(timers.pending).toMatchObject([{ delayMs: 50 }]);
    reader.close();
  });

  it('counts records that are too short, and goes on', () => {
    const { ring, seen, open, put } = setUp();
    const reader = open();
    ring.put(Uint8Array.of(1));
    put(9);
    expect(reader.drain()).toBe(2);
    expect(seen).toEqual([9]);
    expect([reader.recordCount, reader.malformedCount]).toEqual([1, 1]);
    reader.close();
  });

  it('may be closed by its own handler', () => {
    const { open, put, released, timers } = setUp();
    const seen: number[] = [];
    const reader = open((value) => {
      seen.push(value);
      reader.close();
      expect(released).toEqual([]);
    });
    [1, 2].forEach(put);
    timers.turn();
    expect(seen).toEqual([1]);
    expect(released).toHaveLength(2);
    expect(timers.pending).toEqual([]);
    expect(reader.drain()).toBe(0);
  });

  it('goes on after a handler that throws', () => {
    const { open, put, timers } = setUp();
    const seen: number[] = [];
    const reader = open((value) => {
      if (value === 1) throw new Error('handler');
      seen.push(value);
    });
    [1, 2].forEach(put);
    expect(() => timers.turn()).toThrow('handler');
    timers.turn();
    expect(seen).toEqual([2]);
    reader.close();
  });

  it.each([{ intervalMs: 0 }, { intervalMs: Number.NaN }, { recordsPerTurn: 0 }])(
    'refuses %o and gives its memory back',
    (options) => {
      const { open, released } = setUp(options);
      expect(() => open()).toThrow('expected');
      expect(released).toHaveLength(2);
    },
  );
});
