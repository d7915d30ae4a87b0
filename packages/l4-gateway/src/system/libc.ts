/** The few functions of the C library that Node has no words for. */
import * as koffi from 'koffi';

export interface Libc {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly ioctl: (fd: number, request: number, argument: Buffer) => number;
  readonly close: (fd: number) => number;
  readonly setns: (fd: number, kind: number) => number;
}

let loaded: Libc | undefined;

/** On first use: who only reads a configuration needs no foreign functions. */
export function libc(): Libc {
  if (loaded !== undefined) return loaded;
  const library = koffi.load(null);
  loaded = {
    socket: library.func('int socket(int domain, int type, int protocol)') as Libc['socket'],
    ioctl: library.func(
      'int ioctl(int fd, unsigned long request, void *argument)',
    ) as Libc['ioctl'],
    close: library.func('int close(int fd)') as Libc['close'],
    setns: library.func('int setns(int fd, int nstype)') as Libc['setns'],
  };
  return loaded;
}

/** Memory that stays where it is while the kernel writes through its address. */
export function stableMemory(bytes: number): Buffer {
  return Buffer.from(new ArrayBuffer(bytes));
}

/** The address of {@link stableMemory}. */
export function addressOf(memory: Buffer): bigint {
  return koffi.address(memory) as bigint;
}
