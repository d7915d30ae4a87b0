/**
 * Everything this package asks of the operating system, as one small interface.
 *
 * `koffi/` implements it. Another foreign-function interface, or a compiled addon, takes its place by implementing
 * these eight functions; nothing above knows the difference.
 */
export interface Kernel {
  /**
   * bpf(2). `attr` lives in memory from {@link pinnedBytes}; its length is the size passed to the kernel.
   *
   * @returns the result, or the negative error number
   */
  bpf(command: number, attr: Uint8Array): number;
  /** The address of the first byte. The memory has to come from {@link pinnedBytes} or {@link Kernel.mmap}. */
  addressOf(memory: Uint8Array): bigint;
  /**
   * mmap(2), shared, at any address.
   *
   * @returns the memory, or the negative error number
   */
  mmap(request: MmapRequest): ArrayBuffer | number;
  /** munmap(2) of memory that `mmap` returned; every view of it has length 0 afterwards, and no use of it can crash. */
  munmap(memory: ArrayBuffer): void;
  /**
   * mount(2).
   *
   * @returns 0, or the negative error number
   */
  mount(request: MountRequest): number;
  /**
   * Another descriptor of the same open file, closed on exec.
   *
   * @returns it, or the negative error number
   */
  duplicate(fd: number): number;
  /** The index of a network interface in the caller's network namespace, or 0 when there is none of this name. */
  interfaceIndex(name: string): number;
  /** statfs(2): the number that tells the type of a file system, or the negative error number. */
  fileSystemType(path: string): number;
}

export interface MmapRequest {
  readonly fd: number;
  readonly bytes: number;
  readonly writable: boolean;
  /** Offset into the file, a multiple of the page size. Default 0. */
  readonly offset?: number;
}

export interface MountRequest {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  /** `MS_*` flags. Default 0. */
  readonly flags?: number;
}
