/**
 * `@evenkeel/bpf`: eBPF from TypeScript. See README.md for a tour.
 */
export { type Codec, type Decoded, decodeValue, encodeValue } from './codec/codec.ts';
export {
  array,
  bytes,
  type Field,
  type Fields,
  nothing,
  struct,
  type StructCodec,
  u16Array,
  u32Array,
} from './codec/composite.ts';
export { be16, be32, be64, bool, s16, s32, s64, s8, u16, u32, u64, u8 } from './codec/number.ts';
export {
  BpfError,
  type BpfErrorCode,
  type BpfErrorDetails,
  errnoName,
  isBpfError,
} from './error/bpf-error.ts';
export type { Kernel, MmapRequest, MountRequest } from './kernel/kernel.ts';
export { pinnedBytes } from './kernel/memory.ts';
export { type AttachType, MAP_FLAG, type MapType, type ProgramType } from './kernel/uapi.table.ts';
export { openKernel } from './kernel/koffi/koffi-kernel.ts';
export {
  attachCgroup,
  attachSkLookup,
  attachTcx,
  attachXdp,
  type CgroupOptions,
  type CgroupProgramType,
  type NetnsOptions,
  type TcxOptions,
  type XdpMode,
  type XdpOptions,
} from './link/attach.ts';
export { cgroupRoot } from './link/cgroup-root.ts';
export { Link, type LinkInfo, type LinkKind } from './link/link.ts';
export { BpfMap, type UpdateMode } from './map/bpf-map.ts';
export { MapHandle, type MapInfo } from './map/map-handle.ts';
export { MapOfMaps } from './map/map-of-maps.ts';
export { MappedArray } from './map/mapped-array.ts';
export { PerCpuMap, sumOf } from './map/per-cpu-map.ts';
export { possibleCpus } from './map/possible-cpus.ts';
export { QueueMap } from './map/queue-map.ts';
export { adoptLink, adoptMap, adoptProgram, createMap } from './object/adopt.ts';
export { GlobalVariables } from './object/globals.ts';
export {
  type LoadedObject,
  loadObject,
  type LoadOptions,
  type VariablesOf,
} from './object/load.ts';
export type { MapOf } from './object/open-map.ts';
export { ensureBpffs, isBpffs, pin } from './object/pinning.ts';
export { DEFAULT_BPFFS } from './pin/bpffs.ts';
export { type Pinnable, type PinOptions, unpin } from './pin/pin.ts';
export {
  type FeatureReport,
  probeFeatures,
  probeHelper,
  probeMap,
  probeProgram,
  type Support,
} from './probe/probe.ts';
export { Program, type ProgramInfo } from './program/program.ts';
export type { TestRun, TestRunOptions } from './program/test-run.ts';
export { RingBuffer, RingReader, type RingReadOptions } from './ring/ring-buffer.ts';
export type { Timers } from './runtime/timers.ts';
export type {
  Globals,
  GlobalsSpec,
  ImageSpec,
  LoaderSpec,
  MapSpec,
  MapSpecs,
  ObjectSpec,
  ProgramSpec,
  ProgramSpecs,
} from './spec/spec.ts';
