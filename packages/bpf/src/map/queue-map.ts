import type { Codec } from '../codec/codec.ts';
import { ERRNO } from '../error/errno.table.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { UPDATE_FLAG } from '../kernel/uapi.table.ts';
import type { MapSpec } from '../spec/spec.ts';
import { ElementCalls } from './element-calls.ts';
import { MapHandle } from './map-handle.ts';

/** A `queue` (first in, first out) or `stack` (last in, first out) of values. */
export class QueueMap<V = unknown> extends MapHandle<MapSpec> {
  readonly #value: Codec<V>;
  readonly #calls: ElementCalls;

  constructor(kernel: Kernel, spec: MapSpec, fd: number) {
    super(kernel, spec, fd);
    this.#value = spec.value as Codec<V>;
    this.#calls = new ElementCalls(kernel, fd, { key: 0, value: spec.value.bytes });
  }

  /** @throws BpfError `EVENKEEL_BPF_LIMIT` when full */
  push(value: V): void {
    void this.fd;
    this.#value.encode(value, this.#calls.value, 0);
    this.check('pushing to', this.#calls.update(UPDATE_FLAG.any), {
      E2BIG: `it is full: ${this.spec.maxEntries} entries`,
    });
  }

  /** The next value, removed; undefined when empty. */
  pop(): V | undefined {
    return this.#read('popping from', () => this.#calls.take());
  }

  /** The next value, left in place; undefined when empty. */
  peek(): V | undefined {
    return this.#read('peeking into', () => this.#calls.lookup());
  }

  #read(action: string, call: () => number): V | undefined {
    void this.fd;
    const result = call();
    if (-result === ERRNO['ENOENT']) return undefined;
    this.check(action, result);
    return this.#value.decode(this.#calls.value, 0);
  }
}
