import { unwatchFile, watchFile } from 'node:fs';
import { createRuntime, type Logger } from '@evenkeel/core';
import { AdminServer } from '../admin/admin-server.ts';
import { createGateway } from '../gateway/create-gateway.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { statusText } from './status-text.ts';
import type { Values } from './arguments.ts';
import type { Command } from './command.ts';
import { type CommandIo, EXIT, UsageError } from './io.ts';
import { loadConfig } from './load-config.ts';
import { createLogger } from './log.ts';
import { scrapeOf } from './scrape.ts';

/** How often the file is looked at: a look costs a system call, and renames and mounts are noticed as well. */
const WATCH_MS = 500;
const DEFAULT_READY_S = 10;

/** `evenkeel-gateway run` */
export const runCommand: Command = {
  name: 'run',
  summary: 'forward packets until a signal ends it',
  details: `Reads the configuration again when the file changes and on SIGHUP. A wrong file changes nothing, and the log
says why. SIGTERM and SIGINT end it; whether the program in the kernel then goes on is said by onStop in
the file, or by --keep and --detach. After a crash it goes on in any case, and the next run takes over.
`,
  options: {
    config: {
      type: 'string',
      short: 'c',
      value: 'FILE',
      help: 'the configuration',
      required: true,
    },
    'once-check': {
      type: 'boolean',
      help: 'start, wait until every VIP has a real, say so, and end',
    },
    'ready-timeout': {
      type: 'string',
      value: 'SECONDS',
      help: `how long --once-check waits (default ${DEFAULT_READY_S})`,
    },
    keep: { type: 'boolean', help: 'leave the program in the kernel at the end' },
    detach: { type: 'boolean', help: 'take it out at the end' },
    'log-format': { type: 'string', value: 'text|json', help: 'form of the log (default text)' },
  },
  run: async (values, io) => {
    const format = values.text('log-format') ?? 'text';
    if (format !== 'text' && format !== 'json') {
      throw new UsageError(`--log-format: expected text or json, got ${format}`);
    }
    if (values.flag('keep') && values.flag('detach')) {
      throw new UsageError('--keep and --detach exclude each other');
    }
    const runtime = createRuntime();
    const logger = createLogger((text) => io.error(text), { format, clock: runtime.clock });
    const path = values.required('config');
    const { config, sources } = await loadConfig(path);
    const gateway = await createGateway(config, { ...runtime, logger, sources });
    const { adopted, nextHop, mtu } = gateway.status();
    const interfaces = config.interfaces.join(', ');
    logger.info({ interfaces, vips: config.vips.length, nextHop, mtu, adopted }, 'forwarding');
    try {
      const admin = await AdminServer.start({
        ...{ gateway, logger, admin: config.admin },
        scrape: scrapeOf(gateway),
      });
      try {
        if (values.flag('once-check')) return await checkOnce(gateway, values, io);
        await serve(gateway, { path, io, logger });
        return EXIT.ok;
      } finally {
        await admin.close();
      }
    } finally {
      await gateway.close(keepOf(values));
      logger.info({}, 'stopped');
    }
  },
};

function keepOf(values: Values): boolean | undefined {
  if (values.flag('keep')) return true;
  return values.flag('detach') ? false : undefined;
}

async function checkOnce(gateway: Gateway, values: Values, io: CommandIo): Promise<number> {
  const seconds = values.number('ready-timeout', { min: 0, max: 3_600 }) ?? DEFAULT_READY_S;
  const isReady = await gateway.ready(1_000 * seconds);
  io.out(statusText(gateway.status()));
  return isReady ? EXIT.ok : EXIT.failed;
}

interface Serving {
  readonly path: string;
  readonly io: CommandIo;
  readonly logger: Logger;
}

/** Until the signal to stop. */
async function serve(gateway: Gateway, { path, io, logger }: Serving): Promise<void> {
  const reload = (): void => void reloadFrom(path, gateway, logger);
  // Listeners of a file keep the process alive, which nothing else of a gateway does.
  watchFile(path, { interval: WATCH_MS }, (now, before) => {
    if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino) reload();
  });
  const endReload = io.onReload(reload);
  void announceReady(gateway, logger);
  const { promise, resolve } = Promise.withResolvers<void>();
  if (io.stop.aborted) resolve();
  io.stop.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  endReload();
  unwatchFile(path);
}

const FOREVER_MS = Number.MAX_SAFE_INTEGER;

async function announceReady(gateway: Gateway, logger: Logger): Promise<void> {
  if (await gateway.ready(FOREVER_MS)) logger.info({}, 'ready: every VIP has a real');
}

async function reloadFrom(path: string, gateway: Gateway, logger: Logger): Promise<void> {
  try {
    const { config } = await loadConfig(path);
    const { added, changed, removed } = gateway.apply(config);
    logger.info({ added, changed, removed }, 'configuration applied');
  } catch (error) {
    const { message } = error as Error;
    gateway.noteRefused(message);
    logger.error({ error: message }, 'configuration refused, the old one stays');
  }
}
