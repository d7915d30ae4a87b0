/**
 * `@evenkeel/l4-gateway`: a layer-4 gateway on XDP. See README.md for what it does and what it does not do yet.
 */
export {
  Forwarder,
  openForwarder,
  type SourceRoute,
  type XdpAttachment,
} from './forwarder/forwarder.ts';
export { PcapngFile, pcapngHeader, type PcapngOptions, pcapngPacket } from './forwarder/pcapng.ts';
export type { TracedFrame, TracedPacket } from './forwarder/trace.ts';
export type { TraceFilter } from './forwarder/trace-filter.ts';
export type { Trace } from './forwarder/tracer.ts';
export type { ForwardMode } from './forwarder/forward-mode.ts';
export type { GuardOptions, GuardRules, Limits, Rate } from './forwarder/guard-options.ts';
export type { NextOptions } from './forwarder/next-slot.ts';
export type { NatOptions, NatTimeouts } from './forwarder/nat-options.ts';
export type { ForwarderOptions } from './forwarder/options.ts';
export type {
  ForwarderStatistics,
  PacketCounts,
  RealStatistics,
  Traffic,
  VipStatistics,
} from './forwarder/statistics.ts';
export type { Flow, Protocol, Real, Vip } from './forwarder/vip.ts';
export type { FlowTimeouts, HashInput, VipOptions } from './forwarder/vip-options.ts';
export { realCommand, runReal, type RealCommand, type RealCommandContext } from './real/command.ts';
export type { Change } from './real/change-record.ts';
export type { DecapsulationCounts } from './real/decapsulator.ts';
export type { Encapsulation, RealOptions } from './real/options.ts';
export { RealError } from './real/real-error.ts';
export { type RealSetup, setUpReal, undoReal } from './real/real.ts';
export { decodeGatewayFile, type DecodeOptions, gatewayJsonSchema } from './config/decode-file.ts';
export type { AdminOptions, GatewayConfig, GatewayVip } from './config/gateway-options.ts';
export { createGateway, type GatewayPorts } from './gateway/create-gateway.ts';
export type { FlowExplanation } from './gateway/explain.ts';
export type { AppliedChange, Gateway } from './gateway/gateway.ts';
export type { RealRole } from './gateway/reals-of.ts';
export type { ServiceReal } from './gateway/real-set.ts';
export type {
  ClusterStatus,
  GatewayStatus,
  RealStatus,
  VipStatus as GatewayVipStatus,
} from './gateway/status.ts';
