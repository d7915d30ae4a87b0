/**
 * Every metric of a gateway. The names and labels are public; they follow Prometheus' naming rules: base units, counters
 * end in `_total`, one meaning per label.
 */
import type { RealRole } from '../gateway/reals-of.ts';
import { counter, type Family, gauge } from './family.ts';
import { type GatewayReading, type LabelledReal, vipLabel } from './reading.ts';

const ROLES: readonly RealRole[] = ['active', 'draining', 'failed', 'unusable'];

/** What became of packets that were not simply forwarded, by the counter of the program. */
const FATES: Readonly<Record<string, Fate>> = {
  newFlow: 'new',
  passedNoVip: 'passed',
  local: 'passed',
  echoAnswered: 'answered',
  tooBigSent: 'answered',
  resetSent: 'answered',
  icmpForwarded: 'forwarded',
  quicRouted: 'forwarded',
  quicUnknown: 'forwarded',
  natOpened: 'new',
  natReturned: 'forwarded',
};

/** Everything that is not named is dropped: a new counter of the program is most likely a reason for that. */
type Fate = 'new' | 'passed' | 'answered' | 'forwarded' | 'dropped';

export const FAMILIES: readonly Family[] = [
  gauge('gateway_ready', '1 while every VIP has a real for new flows, otherwise 0.', {
    read: ({ status }, emit) => emit(Number(status.ready)),
  }),
  gauge('gateway_config_refused', '1 while the configuration offered last is not in force.', {
    read: ({ status }, emit) => emit(Number(status.refusedConfig !== undefined)),
  }),
  gauge('gateway_adopted', '1 if this process took over the flows of a predecessor.', {
    read: ({ status }, emit) => emit(Number(status.adopted)),
  }),
  gauge('gateway_uptime_seconds', 'Time since this process began to control the program.', {
    read: ({ status }, emit) => emit(status.uptimeMs / 1_000),
  }),
  gauge('gateway_table_bytes', 'Memory of the tables of flows and reals in the kernel.', {
    read: ({ status }, emit) => emit(status.tableBytes),
  }),
  counter(
    'gateway_vip_packets_total',
    'Packets forwarded for a VIP, to reals that left included.',
    {
      labels: ['vip'],
      read: perVip(({ packets }) => packets),
    },
  ),
  counter(
    'gateway_vip_bytes_total',
    'Bytes of IP packets forwarded for a VIP, as clients sent them.',
    {
      labels: ['vip'],
      read: perVip(({ bytes }) => bytes),
    },
  ),
  gauge('gateway_vip_ready', '1 while a VIP has a real for new flows, otherwise 0.', {
    labels: ['vip'],
    read: perVip(({ ready }) => Number(ready)),
  }),
  gauge('gateway_vip_reals', 'Reals of a VIP by what they are to it.', {
    labels: ['vip', 'role'],
    read: ({ status }, emit) => {
      for (const vip of status.vips) {
        for (const role of ROLES) {
          emit(vip.reals.filter((real) => real.role === role).length, vipLabel(vip), role);
        }
      }
    },
  }),
  counter('gateway_real_packets_total', 'Packets sent to a real for a VIP.', {
    labels: ['vip', 'real'],
    read: perReal(({ real }) => real.packets),
  }),
  counter('gateway_real_bytes_total', 'Bytes of IP packets sent to a real for a VIP.', {
    labels: ['vip', 'real'],
    read: perReal(({ real }) => real.bytes),
  }),
  gauge('gateway_real_weight', 'Share of new flows of a VIP relative to its other reals.', {
    labels: ['vip', 'real'],
    read: perReal(({ real }) => real.weight),
  }),
  gauge(
    'gateway_reals_unlabelled',
    'Reals without series of their own, because there are too many.',
    {
      read: ({ unlabelledCount }, emit) => emit(unlabelledCount),
    },
  ),
  counter(
    'gateway_cpu_packets_total',
    'Packets forwarded on a CPU: receive queues out of balance show here.',
    {
      labels: ['cpu'],
      read: ({ cpus }, emit) => cpus.forEach(({ packets }, cpu) => emit(packets, String(cpu))),
    },
  ),
  counter('gateway_new_flows_total', 'Flows that the cache did not know and the ring placed.', {
    read: ({ status }, emit) => emit(status.packets.newFlow),
  }),
  counter('gateway_dropped_packets_total', 'Packets that were dropped, by the reason.', {
    labels: ['reason'],
    read: perCount('dropped'),
  }),
  counter('gateway_passed_packets_total', 'Packets left to this host, by the reason.', {
    labels: ['reason'],
    read: perCount('passed'),
  }),
  counter(
    'gateway_answered_packets_total',
    'Packets answered by the program itself, by the answer.',
    {
      labels: ['answer'],
      read: perCount('answered'),
    },
  ),
  counter(
    'gateway_special_packets_total',
    'Packets that found their real by something else than their addresses, by what.',
    { labels: ['kind'], read: perCount('forwarded') },
  ),
  gauge('gateway_vips', 'VIPs in the tables of the program.', {
    read: ({ fill }, emit) => emit(fill.vips.used),
  }),
  gauge('gateway_vips_limit', 'VIPs that there is room for.', {
    read: ({ fill }, emit) => emit(fill.vips.size),
  }),
  gauge('gateway_targets', 'Pairs of VIP and real in the table of the program.', {
    read: ({ fill }, emit) => emit(fill.targets.used),
  }),
  gauge('gateway_targets_limit', 'Pairs of VIP and real that there is room for.', {
    read: ({ fill }, emit) => emit(fill.targets.size),
  }),
  gauge('gateway_flow_cache_limit', 'Flows that the caches of all CPUs have room for.', {
    read: ({ fill }, emit) => emit(fill.flows.size),
  }),
  gauge(
    'gateway_flow_cache_fill_ratio',
    'Part of the flow caches that is in use, 0 to 1, estimated from a sample.',
    { read: ({ fill }, emit) => emit(fill.flows.usedRatio) },
  ),
];

/** `noReal` is `no_real`: labels are written as names of metrics are. */
function perCount(fate: Fate): Family['read'] {
  return ({ status }, emit) => {
    for (const [name, count] of Object.entries(status.packets) as [string, bigint][]) {
      if ((FATES[name] ?? 'dropped') !== fate) continue;
      emit(
        count,
        name.replaceAll(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`),
      );
    }
  };
}

type VipStatus = GatewayReading['status']['vips'][number];

function perVip(value: (vip: VipStatus) => number | bigint): Family['read'] {
  return ({ status }, emit) => {
    for (const vip of status.vips) emit(value(vip), vipLabel(vip));
  };
}

function perReal(value: (one: LabelledReal) => number | bigint): Family['read'] {
  return ({ labelled }, emit) => {
    for (const one of labelled) emit(value(one), one.vip, one.real.address);
  };
}
