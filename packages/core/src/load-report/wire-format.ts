import type { MapName } from './report-builder.ts';

/** Field numbers of `xds.data.orca.v3.OrcaLoadReport`. */
export const Field = {
  cpuUtilization: 1,
  memUtilization: 2,
  rps: 3,
  requestCost: 4,
  utilization: 5,
  rpsFractional: 6,
  eps: 7,
  namedMetrics: 8,
  applicationUtilization: 9,
} as const;

/** How a field is written (protobuf encoding, "Message structure"). Groups (3, 4) are none of them. */
export const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

export const DOUBLE_FIELDS: ReadonlyMap<number, string> = new Map([
  [Field.cpuUtilization, 'cpu_utilization'],
  [Field.memUtilization, 'mem_utilization'],
  [Field.rpsFractional, 'rps_fractional'],
  [Field.eps, 'eps'],
  [Field.applicationUtilization, 'application_utilization'],
]);

export const MAP_FIELDS: ReadonlyMap<number, MapName> = new Map([
  [Field.requestCost, 'request_cost'],
  [Field.utilization, 'utilization'],
  [Field.namedMetrics, 'named_metrics'],
]);
