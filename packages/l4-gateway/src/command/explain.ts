import { askGateway } from '../admin/admin-client.ts';
import type { FlowExplanation } from '../gateway/explain.ts';
import { columns } from './columns.ts';
import type { Command } from './command.ts';
import { EXIT } from './io.ts';
import { GATEWAY_OPTIONS, gatewayName } from './status.ts';

/** `evenkeel-gateway explain` */
export const explainCommand: Command = {
  name: 'explain',
  summary: 'which real a new flow would get, and why',
  options: {
    ...GATEWAY_OPTIONS,
    vip: {
      type: 'string',
      value: 'ADDRESS:PORT[/PROTOCOL]',
      help: 'what it connects to',
      required: true,
    },
    client: { type: 'string', value: 'ADDRESS:PORT', help: 'where it comes from', required: true },
    json: { type: 'boolean', help: 'as JSON' },
  },
  run: async (values, io) => {
    const name = await gatewayName(values);
    const query = new URLSearchParams({
      vip: values.required('vip'),
      client: values.required('client'),
    });
    const found = (await askGateway(name, `/explain?${query.toString()}`)) as FlowExplanation;
    io.out(values.flag('json') ? `${JSON.stringify(found, null, 2)}\n` : explanationText(found));
    return EXIT.ok;
  },
};

function explanationText({ vip, cluster, real, reason, reals }: FlowExplanation): string {
  const head = [
    `vip      ${vip ?? 'none'}`,
    `cluster  ${cluster ?? 'none'}`,
    `real     ${real ?? 'none'}`,
    `because  ${reason}`,
  ];
  const rows = reals.map((one) => [
    one.address === real ? `> ${one.address}` : `  ${one.address}`,
    one.role,
    `${(100 * one.shareRatio).toFixed(1)} %`,
    `${one.state}: ${one.reason}`,
  ]);
  const table = columns([['  real', 'role', 'new flows', 'state'], ...rows], [2]);
  return `${head.join('\n')}\n\n${table}`;
}
