import { z } from 'zod';
import { configError } from '../../../error/config-error.ts';
import { durationMs, flag, object, text } from '../../../schema/fields.ts';
import { type HttpTarget, parseHttpTarget, type TlsFiles } from '../../http/http-target.ts';

/** How an etcd cluster is reached. Discovery and registration take the same words. */
export interface EtcdConnectionOptions {
  /**
   * Client addresses of the members: `http://10.0.0.1:2379`, `https://etcd.internal:2379`, `10.0.0.1:2379`. They are
   * balanced, and one that does not work is left. Default: `ETCDCTL_ENDPOINTS`, else `http://127.0.0.1:2379`.
   */
  readonly endpoints?: readonly string[] | undefined;
  /** User, where etcd's authentication is on. Default: that of `ETCDCTL_USER`, which may be `user:password`. */
  readonly username?: string | undefined;
  /** Default: `ETCDCTL_PASSWORD`, else that of `ETCDCTL_USER`, unless there is a file. */
  readonly password?: string | undefined;
  /** File with the password, read whenever a token is needed, so that it may be rotated. */
  readonly passwordFile?: string | undefined;
  /** TLS of `https` addresses. Files are read anew after every failure. Default: the system's authorities. */
  readonly tls?: EtcdTlsOptions | undefined;
  /** Longest time for one exchange with one member, 100 ms..1 min. Default 5,000. */
  readonly timeoutMs?: number | undefined;
}

export interface EtcdTlsOptions {
  /** PEM file with the certificates to trust instead of the system's. Default: `ETCDCTL_CACERT`. */
  readonly caFile?: string | undefined;
  /** PEM files with our certificate chain and its key; both or neither. Default: `ETCDCTL_CERT`, `ETCDCTL_KEY`. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Name looked for in the certificate, instead of the host of the address. */
  readonly servername?: string | undefined;
  /** False accepts any certificate: for tests. Default true. */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** Checked, with the defaults and the environment filled in. */
export interface EtcdConnection {
  readonly members: readonly EtcdMember[];
  /** For humans. */
  readonly address: string;
  readonly credentials: EtcdCredentials | undefined;
  readonly tls: TlsFiles;
  readonly timeoutMs: number;
}

export interface EtcdMember {
  /** As it was written. */
  readonly address: string;
  readonly target: HttpTarget;
}

export interface EtcdCredentials {
  readonly username: string;
  readonly password: { readonly text: string } | { readonly file: string };
}

const DEFAULT_ENDPOINT = 'http://127.0.0.1:2379';
const DEFAULT_TIMEOUT_MS = 5_000;
/** A cluster of etcd has seven members at most, for the sake of its own speed. */
const MAX_MEMBERS = 16;
const ADDRESS = "'http://host:port', 'https://host:port' or 'host:port'";
const path = (): z.ZodString => text(4_096);

/** The fields of {@link EtcdConnectionOptions}, for the schemas of discovery and registration. */
export const connectionShape: {
  readonly [Key in keyof EtcdConnectionOptions]-?: z.ZodType<EtcdConnectionOptions[Key]>;
} = {
  endpoints: z
    .array(
      text(1_024).refine((value) => parseHttpTarget(value, false) !== undefined, {
        error: ADDRESS,
      }),
      { error: 'a list of addresses' },
    )
    .min(1, { error: 'at least one address' })
    .max(MAX_MEMBERS, { error: `at most ${MAX_MEMBERS} addresses` })
    .optional()
    .describe('Client addresses of the members. Left out: ETCDCTL_ENDPOINTS, else this host.'),
  username: text(256).optional().describe('User. Left out: that of ETCDCTL_USER.'),
  password: text(1_024).optional().describe('Left out: ETCDCTL_PASSWORD, or that of ETCDCTL_USER.'),
  passwordFile: path()
    .optional()
    .describe('File with the password, read whenever a token is needed.'),
  tls: object({
    caFile: path().optional().describe('PEM certificates to trust. Left out: ETCDCTL_CACERT.'),
    certFile: path().optional().describe('Our PEM certificates. Left out: ETCDCTL_CERT.'),
    keyFile: path().optional().describe('PEM key of the certificate. Left out: ETCDCTL_KEY.'),
    servername: text(253).optional().describe('Name looked for in the certificate of the server.'),
    rejectUnauthorized: flag().optional().meta({
      description: 'False accepts any certificate: for tests.',
      default: true,
    }),
  })
    .optional()
    .describe('TLS of https addresses.'),
  timeoutMs: durationMs({ min: 100, max: 60_000 }).optional().meta({
    description: 'Longest time for one exchange with one member.',
    default: DEFAULT_TIMEOUT_MS,
  }),
};

/** The variables that etcd's own client heeds. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Fills in checked options: what is not given comes from the environment variables of etcdctl.
 *
 * @param at where the options stand, for the errors
 * @throws ConfigError for combinations that make no sense, and for an environment that makes none
 */
export function completeConnection(
  options: EtcdConnectionOptions,
  at: string,
  environment: Environment = process.env,
): EtcdConnection {
  const variable = (name: string): string | undefined => {
    const value = environment[name];
    return value === '' ? undefined : value;
  };
  const { tls } = options;
  if ((tls?.certFile === undefined) !== (tls?.keyFile === undefined)) {
    throw configError(`${at}.tls`, "'certFile' and 'keyFile' together", 'one of them');
  }
  const written = options.endpoints ??
    variable('ETCDCTL_ENDPOINTS')
      ?.split(',')
      .map((part) => part.trim()) ?? [DEFAULT_ENDPOINT];
  const addresses = [...new Set(written)];
  return {
    members: addresses.map((address) => {
      const target = parseHttpTarget(address, false);
      if (target !== undefined) return { address, target };
      throw configError(`${at}.endpoints`, `${ADDRESS} (from ETCDCTL_ENDPOINTS)`, address);
    }),
    address: addresses.join(','),
    credentials: credentialsOf(options, { at, variable }),
    tls: {
      caFile: tls?.caFile ?? variable('ETCDCTL_CACERT'),
      certFile: tls?.certFile ?? variable('ETCDCTL_CERT'),
      keyFile: tls?.keyFile ?? variable('ETCDCTL_KEY'),
      servername: tls?.servername,
      rejectUnauthorized: tls?.rejectUnauthorized ?? true,
    },
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  };
}

function credentialsOf(
  options: EtcdConnectionOptions,
  { at, variable }: { at: string; variable: (name: string) => string | undefined },
): EtcdCredentials | undefined {
  const { password, passwordFile } = options;
  if (password !== undefined && passwordFile !== undefined) {
    throw configError(`${at}.passwordFile`, "nothing beside 'password'", passwordFile);
  }
  const [user, ...rest] = (variable('ETCDCTL_USER') ?? '').split(':');
  const username = options.username ?? (user === '' ? undefined : user);
  const given = password !== undefined || passwordFile !== undefined;
  if (username === undefined) {
    if (given) throw configError(`${at}.username`, 'a user beside the password', undefined);
    return undefined;
  }
  if (passwordFile !== undefined) return { username, password: { file: passwordFile } };
  const known =
    password ?? variable('ETCDCTL_PASSWORD') ?? (rest.length > 0 ? rest.join(':') : undefined);
  if (known === undefined) {
    throw configError(`${at}.password`, 'the password of the user, or a passwordFile', undefined);
  }
  return { username, password: { text: known } };
}
