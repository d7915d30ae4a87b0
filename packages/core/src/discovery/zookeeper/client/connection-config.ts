import { z } from 'zod';
import { durationMs, object, text } from '../../../schema/fields.ts';

/** How an ensemble is reached. Discovery and registration take the same words. */
export interface ZookeeperConnectionOptions {
  /**
   * Servers of the ensemble: `host:2181`, `[::1]:2181`, a port may be left out. They are tried in an order of our own.
   * A text has them with commas between, and may end with a chroot: `a:2181,b:2181/apps`.
   */
  readonly servers: string | readonly string[];
  /** Node that all paths start below: `/apps`. Default: none. */
  readonly chroot?: string | undefined;
  /** Who we are, by the scheme `digest`. Default: nobody. */
  readonly auth?: { readonly username: string; readonly password: string } | undefined;
  /**
   * Without a sign of life for so long the server ends the session, 1 s..10 min. The server has bounds of its own:
   * usually 4 s..40 s. Default 15,000.
   */
  readonly sessionTimeoutMs?: number | undefined;
  /** Longest time until a session with one server stands, 50 ms..1 min. Default 2,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Longest time for one answer, 50 ms..1 min. Default 5,000. */
  readonly timeoutMs?: number | undefined;
}

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** Checked, with the defaults filled in. */
export interface ZookeeperConnection {
  readonly servers: readonly ServerAddress[];
  /** '' or a path without a slash at its end. */
  readonly chroot: string;
  /** For humans: servers and chroot. */
  readonly address: string;
  /** `user:password`, as the scheme has it. */
  readonly digest: string | undefined;
  readonly sessionTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
}

const DEFAULTS = { sessionTimeoutMs: 15_000, connectTimeoutMs: 2_000, timeoutMs: 5_000 } as const;
const DEFAULT_PORT = 2181;
const MAX_SERVERS = 64;
const PATH_RULE = 'an absolute path without empty parts, dots and a slash at its end';

/** A path of nodes: absolute. */
export function nodePath(): z.ZodType<string, string> {
  return text(4_096).refine(isNodePath, { error: PATH_RULE });
}

/** ZooKeeper's own rules, `PathUtils.validatePath`. */
export function isNodePath(path: string): boolean {
  return (
    path.startsWith('/') &&
    path.length > 1 &&
    !/[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/.test(path) &&
    path
      .slice(1)
      .split('/')
      .every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

const serverText = (): z.ZodType<string, string> =>
  text(512).refine((value) => parseServer(value) !== undefined, { error: "'host:port'" });

/** The fields of {@link ZookeeperConnectionOptions}, for the schemas of discovery and registration. */
export const connectionShape: {
  readonly [Key in keyof ZookeeperConnectionOptions]-?: z.ZodType<ZookeeperConnectionOptions[Key]>;
} = {
  servers: z
    .union(
      [
        text(8_192).refine((value) => parseServers(value) !== undefined, {
          error: "'host:port,host:port/chroot'",
        }),
        z
          .array(serverText(), { error: 'a list of servers' })
          .min(1, { error: 'at least one server' })
          .max(MAX_SERVERS, { error: `at most ${MAX_SERVERS} servers` }),
      ],
      { error: "'host:port,host:port' or a list of such texts" },
    )
    .describe('Servers of the ensemble; a text may end with a chroot: a:2181,b:2181/apps.'),
  chroot: nodePath().optional().describe('Node that all paths start below.'),
  auth: object({
    username: text(256)
      .refine((name) => !name.includes(':'), { error: 'a name without a colon' })
      .describe('Name of the digest.'),
    password: text(1_024).describe('Its password, which is never told.'),
  })
    .optional()
    .describe('Who we are, by the scheme digest.'),
  sessionTimeoutMs: durationMs({ min: 1_000, max: 600_000 }).optional().meta({
    description: 'Without a sign of life for so long the server ends the session.',
    default: DEFAULTS.sessionTimeoutMs,
  }),
  connectTimeoutMs: durationMs({ min: 50, max: 60_000 }).optional().meta({
    description: 'Longest time until a session with one server stands.',
    default: DEFAULTS.connectTimeoutMs,
  }),
  timeoutMs: durationMs({ min: 50, max: 60_000 }).optional().meta({
    description: 'Longest time for one answer.',
    default: DEFAULTS.timeoutMs,
  }),
};

/** Fills in checked options. */
export function completeConnection(options: ZookeeperConnectionOptions): ZookeeperConnection {
  const { servers, auth, sessionTimeoutMs = DEFAULTS.sessionTimeoutMs } = options;
  const parsed =
    typeof servers === 'string'
      ? parseServers(servers)
      : { servers: servers.flatMap((server) => parseServer(server) ?? []), chroot: '' };
  const chroot = `${parsed?.chroot ?? ''}${options.chroot ?? ''}`;
  const list = parsed?.servers ?? [];
  return {
    servers: list,
    chroot,
    address: `${list.map(formatServer).join(',')}${chroot}`,
    digest: auth && `${auth.username}:${auth.password}`,
    sessionTimeoutMs,
    connectTimeoutMs: options.connectTimeoutMs ?? DEFAULTS.connectTimeoutMs,
    timeoutMs: options.timeoutMs ?? DEFAULTS.timeoutMs,
  };
}

export function formatServer({ host, port }: ServerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function parseServers(value: string): { servers: ServerAddress[]; chroot: string } | undefined {
  const slash = value.indexOf('/');
  const chroot = slash < 0 || slash === value.length - 1 ? '' : value.slice(slash);
  if (chroot !== '' && !isNodePath(chroot)) return undefined;
  const parts = (slash < 0 ? value : value.slice(0, slash)).split(',');
  const servers = parts.map((part) => parseServer(part.trim()));
  if (servers.length > MAX_SERVERS) return undefined;
  const good = servers.filter((server) => server !== undefined);
  return good.length === servers.length ? { servers: good, chroot } : undefined;
}

function parseServer(value: string): ServerAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/@[\]]+))(?::(\d{1,5}))?$/.exec(value);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}
