import { askGateway } from '../admin/admin-client.ts';
import type { GatewayStatus } from '../gateway/status.ts';
import type { OptionSpecs, Values } from './arguments.ts';
import type { Command } from './command.ts';
import { EXIT } from './io.ts';
import { loadConfig } from './load-config.ts';
import { statusText } from './status-text.ts';

/** How a command finds the gateway that it asks. */
export const GATEWAY_OPTIONS: OptionSpecs = {
  name: { type: 'string', short: 'n', value: 'NAME', help: 'of the gateway (default edge)' },
  config: {
    type: 'string',
    short: 'c',
    value: 'FILE',
    help: 'take the name from its configuration',
  },
};

const DEFAULT_NAME = 'edge';

/** @throws ConfigError when the name is to come from a file that is wrong */
export async function gatewayName(values: Values): Promise<string> {
  const path = values.text('config');
  const name = values.text('name');
  if (name !== undefined || path === undefined) return name ?? DEFAULT_NAME;
  return (await loadConfig(path)).config.name;
}

/** `evenkeel-gateway status` */
export const statusCommand: Command = {
  name: 'status',
  summary: 'what a running gateway does: VIPs, reals, packets',
  options: { ...GATEWAY_OPTIONS, json: { type: 'boolean', help: 'as JSON' } },
  run: async (values, io) => {
    const status = (await askGateway(await gatewayName(values), '/status')) as GatewayStatus;
    io.out(values.flag('json') ? `${JSON.stringify(status, null, 2)}\n` : statusText(status));
    return EXIT.ok;
  },
};
