import type { Finding, Level } from '../doctor/finding.ts';
import { gather } from '../doctor/gather.ts';
import { judge } from '../doctor/judge.ts';
import type { Command } from './command.ts';
import { EXIT } from './io.ts';
import { loadConfig } from './load-config.ts';

const TITLES: Readonly<Record<Level, string>> = {
  ok: 'ok',
  advice: 'note',
  warning: 'WARNING',
  failure: 'FAILURE',
};

/** `evenkeel-gateway doctor` */
export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'look for what keeps a gateway from working, and say the cure',
  details: `Changes nothing. Exits with 0 when all is well, 3 after a warning, 1 after a failure.
`,
  options: {
    config: {
      type: 'string',
      short: 'c',
      value: 'FILE',
      help: 'the configuration',
      required: true,
    },
    probe: { type: 'boolean', help: 'run the health checks of the reals, from here' },
    quiet: { type: 'boolean', short: 'q', help: 'leave out what is well' },
    json: { type: 'boolean', help: 'as JSON' },
  },
  run: async (values, io) => {
    const { config, sources } = await loadConfig(values.required('config'));
    const findings = judge(await gather(config, { sources, probe: values.flag('probe') }));
    const told = values.flag('quiet') ? findings.filter(({ level }) => level !== 'ok') : findings;
    io.out(values.flag('json') ? `${JSON.stringify(told, null, 2)}\n` : told.map(textOf).join(''));
    if (findings.some(({ level }) => level === 'failure')) return EXIT.failed;
    return findings.some(({ level }) => level === 'warning') ? EXIT.warning : EXIT.ok;
  },
};

function textOf({ level, topic, message, cures }: Finding): string {
  const title = TITLES[level].padEnd(8);
  return `${title}${topic}: ${message}\n${cures.map((cure) => `          ${cure}\n`).join('')}`;
}
