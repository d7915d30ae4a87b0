/** Where the program finds VIPs: by address, port and protocol, and by prefixes. See `bpf/lookup.h`. */
import { type BpfMap, MappedArray, openKernel } from '@evenkeel/bpf';
import type { IpAddress } from './address.ts';
import { mix, swap16 } from './flow-hash.ts';
import {
  type Prefix4Key,
  type Prefix6Key,
  type Vip as VipWord,
  type VipBucket,
  VipKind,
} from './generated/forwarder.ts';

export interface DirectoryMaps {
  readonly vips: BpfMap<number, VipBucket>;
  readonly moreVips: BpfMap<bigint, VipWord>;
  readonly prefixes4: BpfMap<Prefix4Key, VipWord>;
  readonly prefixes6: BpfMap<Prefix6Key, VipWord>;
}

/** What an entry is about: `ENTRY_VIP`, `ENTRY_ADDRESS`, `ENTRY_FRAGMENTS` of the program. */
export const ENTRY_KINDS = { vip: 0, address: 1, fragments: 2 } as const;

export interface Entry {
  readonly kind: keyof typeof ENTRY_KINDS;
  readonly address: IpAddress;
  readonly bits: number;
  /** 0: any. */
  readonly port: number;
  /** 0: any. */
  readonly protocol: number;
}

const WAYS = 4;
/** 64-bit words of a bucket: tag and VIP of each way. */
const WORDS = 2 * WAYS;
const BUCKET_BITS = 10n;
const BUCKET_MULTIPLIER = 0x9e37_79b9_7f4a_7c15n;
const IS_IP6 = 1n << 63n;

/** The buckets, in the program's memory: an entry changes in one store of eight bytes. */
export class VipDirectory {
  readonly #maps: DirectoryMaps;
  readonly #memory: MappedArray;
  readonly #words: BigUint64Array;
  readonly #key: bigint;
  readonly #onKinds: (kinds: number) => void;
  /** Entries of each kind that there are, by bit of `enum vip_kind`. */
  readonly #counts = new Map<number, number>();
  readonly #known = new Set<string>();
  readonly #more = new Set<bigint>();

  /**
   * @param key of the tags of IPv6, random
   * @param onKinds is told which kinds of entries there are: before the first one of a kind, after the last
   */
  constructor(maps: DirectoryMaps, key: bigint, onKinds: (kinds: number) => void) {
    this.#maps = maps;
    this.#memory = new MappedArray(openKernel(), maps.vips.spec, maps.vips.fd);
    this.#words = new BigUint64Array(this.#memory.memory);
    this.#key = key;
    this.#onKinds = onKinds;
  }

  /** Adds an entry, or moves it to another value: packets see the old one or the new one. */
  set(entry: Entry, vip: VipWord): void {
    const name = nameOf(entry);
    if (!this.#known.has(name)) {
      this.#known.add(name);
      this.#count(entry, 1);
    }
    if (isPrefix(entry)) this.#setPrefix(entry, vip);
    else this.#setTag(this.#tag(entry), vip);
  }

  delete(entry: Entry): void {
    if (!this.#known.delete(nameOf(entry))) return;
    if (isPrefix(entry)) this.#deletePrefix(entry);
    else this.#deleteTag(this.#tag(entry));
    this.#count(entry, -1);
  }

  close(): void {
    this.#memory.close();
  }

  #setTag(tag: bigint, vip: VipWord): void {
    const way = this.#find(tag) ?? (this.#more.has(tag) ? undefined : this.#find(0n, tag));
    if (way === undefined) {
      this.#maps.moreVips.update(tag, vip);
      this.#more.add(tag);
      this.#tellKinds();
      return;
    }
    // The value first: whoever finds the tag finds a VIP.
    Atomics.store(this.#words, way + 1, wordOf(vip));
    Atomics.store(this.#words, way, tag);
  }

  #deleteTag(tag: bigint): void {
    if (this.#more.delete(tag)) {
      this.#maps.moreVips.delete(tag);
      return;
    }
    const way = this.#find(tag);
    if (way === undefined) return;
    Atomics.store(this.#words, way, 0n);
    Atomics.store(this.#words, way + 1, 0n);
  }

  /** Index of the word with a tag, in its bucket or in that of another. */
  #find(tag: bigint, of: bigint = tag): number | undefined {
    const bucket = Number(BigInt.asUintN(64, of * BUCKET_MULTIPLIER) >> (64n - BUCKET_BITS));
    for (let way = 0; way < WAYS; way += 1) {
      const at = bucket * WORDS + 2 * way;
      if (this.#words[at] === tag) return at;
    }
    return undefined;
  }

  #tag({ address, port, protocol, kind }: Entry): bigint {
    const view = new DataView(address.bytes.buffer, address.bytes.byteOffset);
    const entry = BigInt((ENTRY_KINDS[kind] << 8) | protocol);
    const wirePort = BigInt(swap16(port));
    if (address.family === 4) {
      return (entry << 48n) | (wirePort << 32n) | BigInt(view.getUint32(0, true));
    }
    let state = mix(this.#key, (entry << 16n) | wirePort);
    state = mix(state, view.getBigUint64(0, true));
    return mix(state, view.getBigUint64(8, true)) | IS_IP6;
  }

  #setPrefix(entry: Entry, vip: VipWord): void {
    if (entry.address.family === 4) this.#maps.prefixes4.update(prefixKey(entry), vip);
    else this.#maps.prefixes6.update(prefixKey(entry), vip);
  }

  #deletePrefix(entry: Entry): void {
    if (entry.address.family === 4) this.#maps.prefixes4.delete(prefixKey(entry));
    else this.#maps.prefixes6.delete(prefixKey(entry));
  }

  #count(entry: Entry, change: number): void {
    for (const bit of kindsOf(entry)) {
      this.#counts.set(bit, (this.#counts.get(bit) ?? 0) + change);
    }
    this.#tellKinds();
  }

  #tellKinds(): void {
    let kinds = this.#more.size > 0 ? VipKind.KIND_MORE : 0;
    for (const [bit, count] of this.#counts) if (count > 0) kinds |= bit;
    this.#onKinds(kinds);
  }
}

function isPrefix({ address, bits }: Entry): boolean {
  return bits < (address.family === 4 ? 32 : 128);
}

function nameOf({ kind, address, bits, port, protocol }: Entry): string {
  return [kind, address.text, bits, port, protocol].join(' ');
}

/** The bits that make a look-up for an entry like this happen at all. */
function kindsOf(entry: Entry): number[] {
  const { kind, address, port, protocol } = entry;
  const kinds: number[] = [];
  const isInPrefix = isPrefix(entry);
  if (isInPrefix) kinds.push(address.family === 4 ? VipKind.KIND_PREFIX4 : VipKind.KIND_PREFIX6);
  if (kind === 'fragments') kinds.push(VipKind.KIND_FRAGMENTS);
  if (kind !== 'vip' || (port !== 0 && protocol !== 0)) return kinds;
  if (port === 0 && protocol === 0) {
    kinds.push(isInPrefix ? VipKind.KIND_PREFIX_ANYTHING : VipKind.KIND_ANYTHING);
  } else if (port === 0) {
    kinds.push(isInPrefix ? VipKind.KIND_PREFIX_ANY_PORT : VipKind.KIND_ANY_PORT);
  } else {
    kinds.push(isInPrefix ? VipKind.KIND_PREFIX_ANY_PROTOCOL : VipKind.KIND_ANY_PROTOCOL);
  }
  return kinds;
}

/** Kind, protocol and port count first, then the bits of the address. */
function prefixKey({ address, bits, port, protocol, kind }: Entry): Prefix4Key & Prefix6Key {
  return {
    bits: 32 + bits,
    kind: ENTRY_KINDS[kind],
    protocol,
    port,
    address: address.family === 4 ? address.bytes.subarray(0, 4) : address.bytes,
  };
}

/** `struct vip` as it lies in memory. */
function wordOf({ number, ring, flags }: VipWord): bigint {
  return BigInt(number) | (BigInt(ring) << 16n) | (BigInt(flags) << 32n);
}
