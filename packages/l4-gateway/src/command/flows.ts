import { askGateway } from '../admin/admin-client.ts';
import type { FlowDump } from '../forwarder/flow-dump.ts';
import { columns } from './columns.ts';
import type { Command } from './command.ts';
import { EXIT } from './io.ts';
import { GATEWAY_OPTIONS, gatewayName } from './status.ts';

/** `evenkeel-gateway flows` */
export const flowsCommand: Command = {
  name: 'flows',
  summary: 'what the flow cache remembers: client, VIP, real, age',
  details: `Of IPv6 flows the cache keeps a hash, so their clients are not shown.
`,
  options: {
    ...GATEWAY_OPTIONS,
    vip: { type: 'string', value: 'NAME', help: 'only of this VIP: 10.0.0.1:80/tcp' },
    client: { type: 'string', value: 'ADDRESS[:PORT]', help: 'only of this client (IPv4)' },
    real: { type: 'string', value: 'ADDRESS', help: 'only of this real' },
    limit: { type: 'string', value: 'N', help: 'show so many (default 100, at most 10000)' },
    json: { type: 'boolean', help: 'as JSON' },
  },
  run: async (values, io) => {
    const query = new URLSearchParams();
    for (const name of ['vip', 'client', 'real', 'limit']) {
      const value = values.text(name);
      if (value !== undefined) query.set(name, value);
    }
    const gateway = await gatewayName(values);
    const dump = (await askGateway(gateway, `/flows?${query.toString()}`)) as FlowDump;
    io.out(values.flag('json') ? `${JSON.stringify(dump, null, 2)}\n` : dumpText(dump));
    return EXIT.ok;
  },
};

function dumpText({ flows, count }: FlowDump): string {
  const rows = flows.map(({ client, vip, real, cpu, silentSeconds, confirmed, closing }) => [
    client ?? '(IPv6)',
    vip,
    real,
    String(cpu),
    `${silentSeconds} s`,
    closing ? 'closing' : confirmed ? 'going on' : 'one packet',
  ]);
  const titles = ['client', 'vip', 'real', 'cpu', 'silent', 'state'];
  return `${columns([titles, ...rows], [3, 4])}${flows.length} of ${count}\n`;
}
