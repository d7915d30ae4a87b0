/**
 * The {@link Kernel} through koffi: prebuilt, no compiler, 0.2 µs a call beyond the system call itself.
 *
 * The prebuilt binary is an optional dependency of koffi (`@koromix/koffi-linux-x64` and so on): an installation that
 * omits optional packages, and a bundler that inlines koffi, lose it.
 */
import { endianness } from 'node:os';
import * as koffi from 'koffi';
import { BpfError } from '../../error/bpf-error.ts';
import type { Kernel, MmapRequest, MountRequest } from '../kernel.ts';
import { pinnedBytes, pinnedString } from '../memory.ts';
import { SYS_BPF } from '../uapi.table.ts';

/** From `<sys/mman.h>`. */
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
/** From `<fcntl.h>`. */
const F_DUPFD_CLOEXEC = 1030;
/** What mmap returns when it fails: -1 as an address. */
const MAP_FAILED = (1n << 64n) - 1n;
/** `struct statfs` is 120 bytes on 64-bit Linux and starts with the type. */
const STATFS_BYTES = 256;

interface Library {
  syscall(number: number, command: number, attr: Uint8Array, size: number): number | bigint;
  mmap(...args: [null, number, number, number, number, number]): bigint | null;
  munmap(address: bigint, bytes: number): number;
  mount(...args: [Uint8Array, Uint8Array, Uint8Array, number, null]): number;
  fcntl(fd: number, command: number, argument: number): number;
  ifNameToIndex(name: Uint8Array): number;
  statfs(path: Uint8Array, buffer: Uint8Array): number;
}

class KoffiKernel implements Kernel {
  readonly #library: Library;
  readonly #sysBpf: number;
  /** Where each mapping starts: the address of a detached buffer can no longer be asked for. */
  readonly #mappings = new Map<ArrayBuffer, { readonly address: bigint; readonly bytes: number }>();

  constructor(library: Library, sysBpf: number) {
    this.#library = library;
    this.#sysBpf = sysBpf;
  }

  bpf(command: number, attr: Uint8Array): number {
    const result = this.#library.syscall(this.#sysBpf, command, attr, attr.length);
    // At once: the next call may overwrite errno.
    return result < 0 ? -koffi.errno() : Number(result);
  }

  addressOf(memory: Uint8Array): bigint {
    return koffi.address(memory);
  }

  mmap({ fd, bytes, writable, offset = 0 }: MmapRequest): ArrayBuffer | number {
    const protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    const address = this.#library.mmap(null, bytes, protection, MAP_SHARED, fd, offset);
    // A view of a wrong address is a segmentation fault, not an exception.
    if (address === null || address === 0n || BigInt.asUintN(64, address) === MAP_FAILED) {
      return -koffi.errno();
    }
    const buffer = koffi.view(address, bytes);
    this.#mappings.set(buffer, { address, bytes });
    return buffer;
  }

  munmap(memory: ArrayBuffer): void {
    const mapping = this.#mappings.get(memory);
    if (mapping === undefined) return;
    this.#mappings.delete(memory);
    // Detaches every view before the memory goes: a late access finds an empty array instead of a fault.
    memory.transfer();
    this.#library.munmap(mapping.address, mapping.bytes);
  }

  mount({ source, target, type, flags = 0 }: MountRequest): number {
    const strings = [source, target, type].map(pinnedString);
    const [from, to, kind] = strings as [Uint8Array, Uint8Array, Uint8Array];
    return this.#library.mount(from, to, kind, flags, null) < 0 ? -koffi.errno() : 0;
  }

  duplicate(fd: number): number {
    const result = this.#library.fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return result < 0 ? -koffi.errno() : result;
  }

  interfaceIndex(name: string): number {
    return this.#library.ifNameToIndex(pinnedString(name));
  }

  fileSystemType(path: string): number {
    const buffer = pinnedBytes(STATFS_BYTES);
    if (this.#library.statfs(pinnedString(path), buffer) < 0) return -koffi.errno();
    return new DataView(buffer.buffer).getUint32(0, true);
  }
}

let shared: Kernel | undefined;

/**
 * The kernel this process runs on; the same object every time.
 *
 * @throws BpfError `EVENKEEL_BPF_UNSUPPORTED` on anything but Linux on x64 or arm64
 */
export function openKernel(): Kernel {
  shared ??= createKernel();
  return shared;
}

function createKernel(): Kernel {
  const sysBpf = SYS_BPF[process.arch];
  if (process.platform !== 'linux' || sysBpf === undefined || endianness() !== 'LE') {
    const here = `${process.platform} on ${process.arch}`;
    const message = `BPF needs Linux on x64 or arm64, this is ${here}`;
    throw new BpfError('EVENKEEL_BPF_UNSUPPORTED', message);
  }
  // null: what the process has loaded already, so that glibc and musl both do.
  const libc = koffi.load(null);
  return new KoffiKernel(
    {
      syscall: libc.func('long syscall(long number, int cmd, void *attr, uint32_t size)'),
      mmap: libc.func('void *mmap(void *addr, size_t n, int prot, int flags, int fd, long offset)'),
      munmap: libc.func('int munmap(void *addr, size_t n)'),
      mount: libc.func('int mount(void *from, void *to, void *type, ulong flags, void *data)'),
      fcntl: libc.func('int fcntl(int fd, int cmd, int argument)'),
      ifNameToIndex: libc.func('uint32_t if_nametoindex(const void *name)'),
      statfs: libc.func('int statfs(const void *path, _Out_ void *buffer)'),
    },
    sysBpf,
  );
}
