import type { Codec } from '../codec/codec.ts';
import { argumentError } from '../error/bpf-error.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { MapSpec } from '../spec/spec.ts';
import { BpfMap } from './bpf-map.ts';

/**
 * A map with one value per CPU: programs count without locks, user space sums up.
 *
 * A value is an array indexed by CPU, one for each CPU that the machine could ever have.
 */
export class PerCpuMap<K = unknown, V = unknown> extends BpfMap<K, readonly V[]> {
  constructor(kernel: Kernel, spec: MapSpec, from: { readonly fd: number; readonly cpus: number }) {
    super(kernel, spec, { fd: from.fd, value: perCpu(spec.value as Codec<V>, from.cpus) });
  }

  /** The values of all CPUs put together, starting from `start`; `start` when there is no such entry. */
  reduce<R>(key: K, start: R, combine: (sum: R, value: V) => R): R {
    return (this.lookup(key) ?? []).reduce(combine, start);
  }
}

/** The sum over all CPUs of a counter of 64 bits; 0 when there is no such entry. */
export function sumOf<K>(map: PerCpuMap<K, bigint>, key: K): bigint {
  return map.reduce(key, 0n, (sum, value) => sum + value);
}

/** How the system call sees such a value: each CPU's in a slot of a multiple of 8 bytes. */
export function perCpu<V>(value: Codec<V>, cpus: number): Codec<readonly V[]> {
  const slot = Math.ceil(value.bytes / 8) * 8;
  return {
    type: `${value.type} on ${cpus} CPUs`,
    bytes: slot * cpus,
    encode: (values, view, offset) => {
      if (values.length !== cpus) {
        throw argumentError(`expected one value for each of ${cpus} CPUs, got ${values.length}`);
      }
      values.forEach((item, cpu) => value.encode(item, view, offset + cpu * slot));
    },
    decode: (view, offset) =>
      Array.from({ length: cpus }, (_, cpu) => value.decode(view, offset + cpu * slot)),
  };
}
