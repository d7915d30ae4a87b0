/** `evenkeel-gateway real`: serves VIPs on this machine until it is told to end. */
import { parseArgs } from 'node:util';
import { type XdpMode, isBpfError } from '@evenkeel/bpf';
import { isEvenkeelError } from '@evenkeel/core';
import { wrong } from '../forwarder/address.ts';
import { keepAlive } from '../runtime/keep-alive.ts';
import type { Encapsulation, RealOptions } from './options.ts';
import { RealError } from './real-error.ts';
import { type RealSetup, setUpReal, undoReal } from './real.ts';

const USAGE = `evenkeel-gateway real --vip ADDRESS --interface NAME [options]

Makes this machine a real: puts the VIPs on lo, sets the rules for ARP and the reverse path filter, takes the outer header
off packets of gateways. Ends with SIGINT or SIGTERM and undoes all of it then.

  --vip ADDRESS            a VIP, or a prefix of them; may be repeated
  --interface NAME         where packets of gateways come in
  --gateway PREFIX         outer sources to believe; may be repeated (172.16.0.0/16 and 100::/96)
  --address ADDRESS        outer destinations; may be repeated (the interface's)
  --encapsulation LIST     of ipip, gue, gre (all)
  --gue-port PORT          UDP port of GUE (6080)
  --hook auto|xdp|tc       where the header is taken off (auto)
  --mode auto|native|generic|offload   of XDP (auto)
  --mss auto|keep|BYTES    largest segment that clients are told (auto)
  --state FOLDER           where changes are recorded (/run/evenkeel)
  --undo                   undo what a crashed process left behind, and end
  --help
`;

export interface RealCommandContext {
  /** Ends the command when aborted. Default: SIGINT and SIGTERM do. */
  readonly signal?: AbortSignal;
  /** A line for the user. Default: standard output. */
  readonly print?: (line: string) => void;
  /** A line about what went wrong. Default: standard error. */
  readonly complain?: (line: string) => void;
}

/** What a command of `evenkeel-gateway` consists of. */
export interface RealCommand {
  readonly name: 'real';
  readonly summary: string;
  readonly usage: string;
  /** @returns the exit status: 0, 1 for a machine that cannot be set up, 2 for wrong arguments */
  run(args: readonly string[], context?: RealCommandContext): Promise<number>;
}

export const realCommand: RealCommand = {
  name: 'real',
  summary: 'make this machine a real: VIPs on lo, ARP rules, decapsulation',
  usage: USAGE,
  run: runReal,
};

/** @returns the exit status, when it has ended and everything is undone */
export async function runReal(
  args: readonly string[],
  context: RealCommandContext = {},
): Promise<number> {
  const { print = (line) => console.log(line), complain = (line) => console.error(line) } = context;
  try {
    const parsed = parseCommand(args);
    if (parsed.what === 'help') {
      print(USAGE);
      return 0;
    }
    if (parsed.what === 'undo') return undo(parsed.options, print);
    const setup = setUpReal(parsed.options);
    tell(setup, parsed.options, print);
    await ended(context.signal);
    const counts = Object.entries(setup.statistics()).filter(([, count]) => count > 0n);
    print(`packets: ${counts.map(([name, count]) => `${name} ${count}`).join(', ') || 'none'}`);
    return report(setup.close(), print);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    complain(`evenkeel-gateway real: ${error.message}`);
    if (isEvenkeelError(error, 'EVENKEEL_CONFIG') || isArgumentError(error)) return 2;
    if (isBpfError(error) || error instanceof RealError) return 1;
    throw error;
  }
}

type Parsed =
  | { readonly what: 'help' }
  | {
      readonly what: 'undo';
      readonly options: Pick<RealOptions, 'interface' | 'stateFolder'>;
    }
  | { readonly what: 'set-up'; readonly options: RealOptions };

function parseCommand(args: readonly string[]): Parsed {
  const { values } = parseArgs({
    args: [...args],
    options: {
      vip: { type: 'string', multiple: true, default: [] },
      interface: { type: 'string' },
      gateway: { type: 'string', multiple: true },
      address: { type: 'string', multiple: true },
      encapsulation: { type: 'string', multiple: true },
      'gue-port': { type: 'string' },
      hook: { type: 'string', default: 'auto' },
      mode: { type: 'string', default: 'auto' },
      mss: { type: 'string', default: 'auto' },
      state: { type: 'string' },
      undo: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { what: 'help' };
  const name = values.interface;
  if (name === undefined) throw wrong('--interface', 'the name of a network interface', undefined);
  const state = values.state === undefined ? {} : { stateFolder: values.state };
  if (values.undo) return { what: 'undo', options: { interface: name, ...state } };
  const { gateway, address, encapsulation, 'gue-port': guePort } = values;
  return {
    what: 'set-up',
    options: {
      vips: split(values.vip),
      interface: name,
      hook: values.hook as NonNullable<RealOptions['hook']>,
      mode: values.mode as XdpMode,
      mss: /^\d+$/u.test(values.mss) ? Number(values.mss) : (values.mss as 'auto' | 'keep'),
      ...(gateway === undefined ? {} : { gateways: split(gateway) }),
      ...(address === undefined ? {} : { addresses: split(address) }),
      ...(encapsulation === undefined
        ? {}
        : { encapsulations: split(encapsulation) as Encapsulation[] }),
      ...(guePort === undefined ? {} : { guePort: Number(guePort) }),
      ...state,
    },
  };
}

/** Both `--vip A --vip B` and `--vip A,B`. */
function split(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(','));
}

function undo(
  options: Pick<RealOptions, 'interface' | 'stateFolder'>,
  print: (line: string) => void,
): number {
  const left = undoReal(options);
  if (left !== undefined) return report(left, print);
  print('nothing to undo');
  return 0;
}

function report(left: readonly string[], print: (line: string) => void): number {
  for (const line of left) print(`not undone: ${line}`);
  if (left.length === 0) print('undone');
  return left.length === 0 ? 0 : 1;
}

function tell(
  setup: RealSetup,
  { interface: name }: RealOptions,
  print: (line: string) => void,
): void {
  for (const change of setup.changes) {
    const what =
      change.kind === 'local'
        ? `${change.prefix} on lo`
        : `net.${change.name.replaceAll('/', '.')} = ${change.after} (was ${change.before})`;
    print(`set: ${what}`);
  }
  for (const warning of setup.warnings) print(`warning: ${warning}`);
  print(`ready: taking headers off at ${setup.hook} of ${name}`);
}

/** Resolves when the command is told to end. */
async function ended(signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const letGo = keepAlive();
  const end = (): void => resolve();
  signal?.addEventListener('abort', end, { once: true });
  if (signal === undefined)
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, end);
  if (signal?.aborted === true) resolve();
  await promise;
  letGo();
  signal?.removeEventListener('abort', end);
  if (signal === undefined)
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, end);
}

/** Of `parseArgs`: an unknown option, or one without its value. */
function isArgumentError(error: Error): boolean {
  return 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
