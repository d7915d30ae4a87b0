/** The slot for a program of somebody else's: a map of programs with one place, pinned where others find it. */
import { adoptMap, type BpfMap, pin, type Pinnable } from '@evenkeel/bpf';
import { wrong } from './address.ts';
import { forwarder as forwarderSpec } from './generated/forwarder.ts';

export interface NextOptions {
  /**
   * Where the slot is pinned, in a BPF file system. It stays there when the forwarder ends, with the program in it. To put
   * a program in: `bpftool map update pinned PATH key 0 0 0 0 value pinned PATH_OF_PROGRAM`; to take it out:
   * `bpftool map delete pinned PATH key 0 0 0 0`.
   */
  readonly path: string;
}

/** @throws ConfigError */
export function assertNext({ path }: NextOptions): void {
  if (path.startsWith('/') && !path.endsWith('/')) return;
  throw wrong('next.path', 'an absolute path in a BPF file system', path);
}

/** The slot that is there already, with the program in it. */
export function adoptNext({ path }: NextOptions): (Pinnable & { close(): void }) | undefined {
  return adoptMap(forwarderSpec.maps.next, path);
}

/** @throws BpfError when it cannot be pinned there */
export function pinNext(slot: BpfMap<number, number>, { path }: NextOptions): void {
  pin(slot, path);
}
