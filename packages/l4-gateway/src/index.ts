/**
 * `@evenkeel/l4-gateway`: a layer-4 gateway on XDP. See README.md for what it does and what it does not do yet.
 */
export { Forwarder, openForwarder, type XdpAttachment } from './forwarder/forwarder.ts';
export type { ForwarderOptions } from './forwarder/options.ts';
export type {
  ForwarderStatistics,
  PacketCounts,
  RealStatistics,
  Traffic,
  VipStatistics,
} from './forwarder/statistics.ts';
export type { Flow, Protocol, Real, Vip } from './forwarder/vip.ts';
export { realCommand, runReal, type RealCommand, type RealCommandContext } from './real/command.ts';
export type { Change } from './real/change-record.ts';
export type { DecapsulationCounts } from './real/decapsulator.ts';
export type { Encapsulation, RealOptions } from './real/options.ts';
export { RealError } from './real/real-error.ts';
export { type RealSetup, setUpReal, undoReal } from './real/real.ts';
