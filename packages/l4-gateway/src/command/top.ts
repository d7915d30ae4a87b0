import { createRuntime } from '@evenkeel/core';
import { askGateway } from '../admin/admin-client.ts';
import type { GatewayStatus } from '../gateway/status.ts';
import { pause } from '../system/pause.ts';
import { columns } from './columns.ts';
import type { Command } from './command.ts';
import { EXIT } from './io.ts';
import { GATEWAY_OPTIONS, gatewayName } from './status.ts';

/** Cursor home, clear below (ECMA-48). */
const CLEAR = '\u001b[H\u001b[J';

/** `evenkeel-gateway top` */
export const topCommand: Command = {
  name: 'top',
  summary: 'packets and bytes per second of every VIP and real, live',
  details: 'On a terminal the table stays in place; otherwise one is written after the other.\n',
  options: {
    ...GATEWAY_OPTIONS,
    interval: { type: 'string', short: 'i', value: 'SECONDS', help: 'between tables (default 1)' },
    count: { type: 'string', value: 'N', help: 'end after so many tables' },
  },
  run: async (values, io) => {
    const name = await gatewayName(values);
    const seconds = values.number('interval', { min: 0.1, max: 3_600 }) ?? 1;
    const count =
      values.number('count', { min: 1, max: 1_000_000_000 }) ?? Number.POSITIVE_INFINITY;
    const { clock } = createRuntime();
    const ask = async (): Promise<Sample> => ({
      status: (await askGateway(name, '/status')) as GatewayStatus,
      atMs: clock.nowMs(),
    });
    let before = await ask();
    for (let table = 0; table < count; table += 1) {
      await pause(1_000 * seconds, { stop: io.stop });
      if (io.stop.aborted) break;
      const now = await ask();
      io.out(`${io.isTty ? CLEAR : ''}${rateTable(before, now)}${io.isTty ? '' : '\n'}`);
      before = now;
    }
    return EXIT.ok;
  },
};

/** What was counted at a moment. */
export interface Sample {
  readonly status: GatewayStatus;
  readonly atMs: number;
}

/** What went through between two samples, per second. */
export function rateTable(before: Sample, now: Sample): string {
  const seconds = (now.atMs - before.atMs) / 1_000;
  const former = new Map<string, Counts>();
  for (const vip of before.status.vips) {
    former.set(vip.name, vip);
    for (const real of vip.reals) former.set(`${vip.name} ${real.address}`, real);
  }
  const rates = (key: string, counts: Counts): string[] => {
    const old = former.get(key) ?? { packets: 0, bytes: 0 };
    // A counter that fell began anew with another process.
    const rate = (value: Count, earlier: Count): number =>
      Math.max(0, Number(value) - Number(earlier)) / seconds;
    return [rateText(rate(counts.packets, old.packets)), rateText(rate(counts.bytes, old.bytes))];
  };
  const rows = now.status.vips.flatMap((vip) => [
    [vip.name, vip.cluster, '', ...rates(vip.name, vip)],
    ...vip.reals.map((real) => [
      `  ${real.address}`,
      real.role === 'active' ? real.state : `${real.role}: ${real.state}`,
      String(real.weight),
      ...rates(`${vip.name} ${real.address}`, real),
    ]),
  ]);
  const { name, ready, packets } = now.status;
  const newFlows = rateText(
    (Number(packets.newFlow) - Number(before.status.packets.newFlow)) / seconds,
  );
  const head = `gateway ${name}, ${ready ? 'ready' : 'NOT READY'}, ${newFlows.trim()} new flows/s\n\n`;
  return (
    head +
    columns(
      [['vip / real', 'cluster / state', 'weight', 'packets/s', 'bytes/s'], ...rows],
      [2, 3, 4],
    )
  );
}

type Count = bigint | number;
interface Counts {
  readonly packets: Count;
  readonly bytes: Count;
}

const UNITS = ['', ' k', ' M', ' G', ' T'] as const;

/** `12.3 k`: three digits, as many as an eye takes in. */
function rateText(value: number): string {
  const power = value < 1_000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(value) / 3));
  const scaled = value / 1_000 ** power;
  return `${scaled.toFixed(scaled < 100 && power > 0 ? 1 : 0)}${UNITS[power] ?? ''}`;
}
