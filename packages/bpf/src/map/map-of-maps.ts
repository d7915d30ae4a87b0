import { u32 } from '../codec/number.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { MapSpec } from '../spec/spec.ts';
import { BpfMap } from './bpf-map.ts';
import { createMapFd, mapFdById, type MapHandle } from './map-handle.ts';

/** Makes the object for a map of some kind; given from above, because kinds do not know each other. */
export type OpenMap<M> = (spec: MapSpec, fd: number) => M;

/**
 * A map whose values are maps (`array-of-maps`, `hash-of-maps`): a whole table is filled first, then put in place by
 * one write.
 */
export class MapOfMaps<K = unknown, M extends MapHandle = MapHandle> {
  readonly #outer: BpfMap<K, number>;
  readonly #kernel: Kernel;
  readonly #open: OpenMap<M>;
  readonly #inner: MapSpec;

  constructor(
    kernel: Kernel,
    spec: MapSpec,
    from: { readonly fd: number; readonly inner: MapSpec; readonly open: OpenMap<M> },
  ) {
    this.#outer = new BpfMap(kernel, spec, { fd: from.fd, value: u32 });
    this.#kernel = kernel;
    this.#inner = from.inner;
    this.#open = from.open;
  }

  get fd(): number {
    return this.#outer.fd;
  }

  get isOpen(): boolean {
    return this.#outer.isOpen;
  }

  get spec(): MapSpec {
    return this.#outer.spec;
  }

  info(): ReturnType<MapHandle['info']> {
    return this.#outer.info();
  }

  /** A new empty inner map, not in place yet. The caller closes it; in place it lives on by itself. */
  createInner(): M {
    return this.#open(this.#inner, createMapFd(this.#kernel, this.#inner));
  }

  /** Puts an inner map in place. Programs see the old one or the new one. */
  set(key: K, inner: M): void {
    this.#outer.update(key, inner.fd);
  }

  /** Fills a new inner map and puts it in place. */
  replace(key: K, fill: (inner: M) => void): void {
    const inner = this.createInner();
    try {
      fill(inner);
      this.set(key, inner);
    } finally {
      inner.close();
    }
  }

  /** The inner map in place, as a map of its own that the caller closes; undefined when there is none. Needs CAP_SYS_ADMIN. */
  get(key: K): M | undefined {
    const id = this.#outer.lookup(key);
    return id === undefined ? undefined : this.#open(this.#inner, mapFdById(this.#kernel, id));
  }

  delete(key: K): boolean {
    return this.#outer.delete(key);
  }

  keys(): Generator<K> {
    return this.#outer.keys();
  }

  close(): void {
    this.#outer.close();
  }
}
