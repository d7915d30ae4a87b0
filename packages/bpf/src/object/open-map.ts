/** The class for a map of each kind, at run time and in types. */
import { argumentError } from '../error/bpf-error.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { MapType } from '../kernel/uapi.table.ts';
import { BpfMap } from '../map/bpf-map.ts';
import { MapHandle } from '../map/map-handle.ts';
import { MapOfMaps } from '../map/map-of-maps.ts';
import { PerCpuMap } from '../map/per-cpu-map.ts';
import { possibleCpus } from '../map/possible-cpus.ts';
import { QueueMap } from '../map/queue-map.ts';
import { RingBuffer } from '../ring/ring-buffer.ts';
import type { MapSpec } from '../spec/spec.ts';

type PerCpuType = Extract<MapType, 'percpu-array' | 'percpu-hash' | 'lru-percpu-hash'>;
type QueueType = Extract<MapType, 'queue' | 'stack'>;
type NestedType = Extract<MapType, 'array-of-maps' | 'hash-of-maps'>;

/** The class that a spec's map is given. */
export type MapOf<S> =
  S extends MapSpec<infer Type, infer K, infer V, infer Inner>
    ? Type extends PerCpuType
      ? PerCpuMap<K, V>
      : Type extends QueueType
        ? QueueMap<V>
        : Type extends 'ringbuf'
          ? RingBuffer
          : Type extends NestedType
            ? MapOfMaps<K, Extract<MapOf<Inner>, MapHandle>>
            : BpfMap<K, V>
    : never;

export type AnyMap = BpfMap | PerCpuMap | QueueMap | RingBuffer | MapOfMaps;

/** Wraps a descriptor of a map that is what `spec` says. */
export function openMap<S extends MapSpec>(kernel: Kernel, spec: S, fd: number): MapOf<S> {
  return wrap(kernel, spec, fd) as MapOf<S>;
}

function wrap(kernel: Kernel, spec: MapSpec, fd: number): AnyMap {
  switch (spec.type) {
    case 'percpu-array':
    case 'percpu-hash':
    case 'lru-percpu-hash':
      return new PerCpuMap(kernel, spec, { fd, cpus: possibleCpus() });
    case 'queue':
    case 'stack':
      return new QueueMap(kernel, spec, fd);
    case 'ringbuf':
      return new RingBuffer(kernel, spec, fd);
    case 'array-of-maps':
    case 'hash-of-maps': {
      const inner = spec.inner as MapSpec | undefined;
      if (inner === undefined) throw argumentError(`map "${spec.name}" of maps has no inner spec`);
      const open = (of: MapSpec, innerFd: number): MapHandle => {
        const map = wrap(kernel, of, innerFd);
        if (map instanceof MapHandle) return map;
        throw argumentError(`map "${spec.name}": maps of maps of maps do not exist`);
      };
      return new MapOfMaps(kernel, spec, { fd, inner, open });
    }
    default:
      return new BpfMap(kernel, spec, { fd, value: spec.value });
  }
}
