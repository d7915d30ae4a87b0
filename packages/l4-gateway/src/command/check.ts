import type { Command } from './command.ts';
import { EXIT } from './io.ts';
import { loadConfig } from './load-config.ts';

/** `evenkeel-gateway check` */
export const checkCommand: Command = {
  name: 'check',
  summary: 'read a configuration and say what is wrong with it',
  options: {
    config: {
      type: 'string',
      short: 'c',
      value: 'FILE',
      help: 'the configuration',
      required: true,
    },
  },
  run: async (values, io) => {
    const { config } = await loadConfig(values.required('config'));
    const { vips, clusters } = config;
    io.out(`${values.required('config')}: ${vips.length} VIPs, ${clusters.size} clusters\n`);
    return EXIT.ok;
  },
};
