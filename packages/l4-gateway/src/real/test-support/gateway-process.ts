/**
 * A gateway in a namespace of its own. First argument: what to open and to serve, as JSON. Each line of its input is a
 * request as JSON, answered with statistics; its end ends the process.
 */
import { createInterface } from 'node:readline';
import {
  type ForwarderOptions,
  openForwarder,
  type Real,
  type Vip,
  type VipOptions,
} from '../../index.ts';

export interface GatewayPlan {
  readonly options: ForwarderOptions;
  readonly vips: readonly {
    readonly vip: Vip;
    readonly reals: readonly Real[];
    readonly options?: VipOptions;
  }[];
}

export interface GatewayRequest {
  /** New reals of a VIP. */
  readonly update?: { readonly vip: Vip; readonly reals: readonly Real[] };
}

const plan = JSON.parse(process.argv[2] as string) as GatewayPlan;
const forwarder = openForwarder(plan.options);
for (const { vip, reals, options } of plan.vips) forwarder.addVip(vip, reals, options);
forwarder.attach({ interface: 'eth0', mode: 'native' });
process.stdout.write('ready\n');
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { update } = JSON.parse(line) as GatewayRequest;
  if (update !== undefined) forwarder.updateReals(update.vip, update.reals);
  const text = JSON.stringify(forwarder.statistics(), (_key, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  );
  process.stdout.write(`${text}\n`);
});
lines.on('close', () => forwarder.close());
