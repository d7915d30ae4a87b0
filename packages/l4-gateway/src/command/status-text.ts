import type { GatewayStatus } from '../gateway/status.ts';
import { columns } from './columns.ts';

/** A status for people. */
export function statusText(status: GatewayStatus): string {
  const { name, interfaces, nextHop, mtu, adopted, ready, refusedConfig } = status;
  const head = [
    `gateway   ${name} on ${interfaces.join(', ')}${adopted ? ', flows taken over' : ''}`,
    `next hop  ${nextHop}, MTU ${mtu}`,
    `ready     ${ready ? 'yes' : 'no: a VIP has no real for new flows'}`,
    ...(refusedConfig === undefined ? [] : [`refused   ${refusedConfig}`]),
  ];
  const rows = status.vips.flatMap(({ name: vip, cluster, packets, bytes, reals }) => [
    [vip, cluster, '', '', String(packets), String(bytes)],
    ...reals.map((real) => [
      `  ${real.address}`,
      real.role,
      String(real.weight),
      `${real.state}: ${real.reason}`,
      String(real.packets),
      String(real.bytes),
    ]),
  ]);
  const counts = Object.entries(status.packets)
    .filter(([, count]) => Number(count) > 0)
    .map(([name, count]) => `${name} ${String(count)}`);
  if (counts.length > 0) head.push(`packets   ${counts.join(', ')}`);
  const titles = ['vip / real', 'cluster / role', 'weight', 'state', 'packets', 'bytes'];
  return `${head.join('\n')}\n\n${columns([titles, ...rows], [4, 5])}`;
}
