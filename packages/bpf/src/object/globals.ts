import type { Codec } from '../codec/codec.ts';
import { u32 } from '../codec/number.ts';
import { argumentError } from '../error/bpf-error.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { MAP_FLAG } from '../kernel/uapi.table.ts';
import { BpfMap } from '../map/bpf-map.ts';
import { MappedArray } from '../map/mapped-array.ts';
import type { GlobalsSpec, MapSpec } from '../spec/spec.ts';

/**
 * The global variables of one section, shared with the programs while they run.
 *
 * `data` and `bss` are mapped into this process on first use: reading or writing one is a plain load or store, and one
 * of up to 8 bytes is never seen half written. `rodata` is frozen: it is read by a system call, and never written.
 */
export class GlobalVariables<T extends object = object> {
  readonly #map: BpfMap<number, T>;
  readonly #mapSpec: MapSpec;
  readonly #spec: GlobalsSpec<T>;
  readonly #kernel: Kernel;
  readonly #isFrozen: boolean;
  #mapped: { readonly array: MappedArray<T>; readonly view: DataView } | undefined;

  constructor(
    kernel: Kernel,
    spec: GlobalsSpec<T>,
    from: { readonly fd: number; readonly isFrozen: boolean },
  ) {
    this.#kernel = kernel;
    this.#spec = spec;
    this.#isFrozen = from.isFrozen;
    this.#mapSpec = globalsMapSpec(spec);
    this.#map = new BpfMap<number, T>(kernel, this.#mapSpec, { fd: from.fd, value: spec.value });
  }

  /** Descriptor of the map behind the section, for pinning. */
  get fd(): number {
    return this.#map.fd;
  }

  /** All variables as they are now, one after the other. */
  read(): T {
    return this.#isFrozen ? (this.#map.lookup(0) as T) : this.#memory().array.get(0);
  }

  get<K extends keyof T & string>(name: K): T[K] {
    if (this.#isFrozen) return this.read()[name];
    const [offset, codec] = this.#field(name);
    return codec.decode(this.#memory().view, offset);
  }

  /** @throws BpfError `EVENKEEL_BPF_ARGUMENT` for `rodata`, for an unknown name, and for a value that does not fit */
  set<K extends keyof T & string>(name: K, value: T[K]): void {
    if (this.#isFrozen) {
      throw argumentError(
        `${this.#spec.name} is frozen: pass "${name}" in \`constants\` when loading`,
      );
    }
    const [offset, codec] = this.#field(name);
    codec.encode(value, this.#memory().view, offset);
  }

  /** Idempotent. */
  close(): void {
    this.#mapped?.array.close();
    this.#map.close();
  }

  #field<K extends keyof T & string>(name: K): readonly [number, Codec<T[K]>] {
    if (!Object.hasOwn(this.#spec.value.fields, name)) {
      throw argumentError(`${this.#spec.name} has no variable "${name}"`);
    }
    return this.#spec.value.fields[name];
  }

  #memory(): { readonly array: MappedArray<T>; readonly view: DataView } {
    void this.#map.fd;
    if (this.#mapped === undefined) {
      const array = new MappedArray<T>(this.#kernel, this.#mapSpec, this.#map.fd);
      this.#mapped = { array, view: new DataView(array.memory) };
    }
    return this.#mapped;
  }
}

/** How the map behind a section is made: one entry, whose value is the whole section. */
export function globalsMapSpec(spec: GlobalsSpec): MapSpec {
  return {
    name: spec.name,
    type: 'array',
    key: u32,
    value: spec.value,
    maxEntries: 1,
    flags: MAP_FLAG.MMAPABLE,
  };
}
