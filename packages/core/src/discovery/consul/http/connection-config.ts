import type { z } from 'zod';
import { configError } from '../../../error/config-error.ts';
import { durationMs, flag, object, text } from '../../../schema/fields.ts';
import { type HttpTarget, parseHttpTarget } from '../../http/http-target.ts';

/** How a Consul agent or server is reached. Discovery and registration take the same words. */
export interface ConsulConnectionOptions {
  /**
   * `http://127.0.0.1:8500`, `https://consul.internal:8501`, `127.0.0.1:8500` or `unix:///run/consul.sock`. Default: the
   * environment variable `CONSUL_HTTP_ADDR`, else `http://127.0.0.1:8500`, the agent of this host.
   */
  readonly address?: string | undefined;
  /** ACL token. Default: `CONSUL_HTTP_TOKEN`, unless there is a token file. */
  readonly token?: string | undefined;
  /** File with the ACL token, read anew for every call, so that it may be rotated. Default: `CONSUL_HTTP_TOKEN_FILE`. */
  readonly tokenFile?: string | undefined;
  /** TLS of an `https` address. Files are read anew after every failure. Default: the system's authorities. */
  readonly tls?: ConsulTlsOptions | undefined;
  /** Consul Enterprise. Default: `CONSUL_NAMESPACE`, else the token's. */
  readonly namespace?: string | undefined;
  /** Admin partition, Consul Enterprise. Default: `CONSUL_PARTITION`, else the agent's. */
  readonly partition?: string | undefined;
  /** Longest time for a call that does not wait for changes, 100 ms..5 min. Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

export interface ConsulTlsOptions {
  /** PEM file with the certificates to trust instead of the system's. Default: `CONSUL_CACERT`. */
  readonly caFile?: string | undefined;
  /** PEM files with our certificate chain and its key; both or neither. Default: `CONSUL_CLIENT_CERT`, `CONSUL_CLIENT_KEY`. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Name looked for in the certificate, instead of the host of the address. Default: `CONSUL_TLS_SERVER_NAME`. */
  readonly servername?: string | undefined;
  /** False accepts any certificate: for tests. Default true. */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** Checked, with the defaults and the environment filled in. */
export interface ConsulConnection {
  readonly target: HttpTarget;
  /** For humans. */
  readonly address: string;
  readonly token: ConsulToken | undefined;
  readonly tls: ConsulTlsOptions;
  readonly namespace: string | undefined;
  readonly partition: string | undefined;
  readonly timeoutMs: number;
}

export type ConsulToken =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string };

const DEFAULT_ADDRESS = 'http://127.0.0.1:8500';
const DEFAULT_TIMEOUT_MS = 10_000;
const path = (): z.ZodString => text(4_096);

/** The fields of {@link ConsulConnectionOptions}, for the schemas of discovery and registration. */
export const connectionShape: {
  readonly [Key in keyof ConsulConnectionOptions]-?: z.ZodType<ConsulConnectionOptions[Key]>;
} = {
  address: text(1_024)
    .refine((value) => parseHttpTarget(value, false) !== undefined, {
      error: "'http://host:port', 'https://host:port', 'host:port' or 'unix:///path'",
    })
    .optional()
    .describe('Agent or server. Left out: CONSUL_HTTP_ADDR, else the agent of this host.'),
  token: text(4_096).optional().describe('ACL token. Left out: CONSUL_HTTP_TOKEN.'),
  tokenFile: path()
    .optional()
    .describe('File with the ACL token, read for every call. Left out: CONSUL_HTTP_TOKEN_FILE.'),
  tls: object({
    caFile: path().optional().describe('PEM certificates to trust. Left out: CONSUL_CACERT.'),
    certFile: path().optional().describe('Our PEM certificates. Left out: CONSUL_CLIENT_CERT.'),
    keyFile: path().optional().describe('PEM key of the certificate. Left out: CONSUL_CLIENT_KEY.'),
    servername: text(253).optional().describe('Name looked for in the certificate of the server.'),
    rejectUnauthorized: flag().optional().meta({
      description: 'False accepts any certificate: for tests.',
      default: true,
    }),
  })
    .optional()
    .describe('TLS of an https address.'),
  namespace: text(128).optional().describe('Consul Enterprise. Left out: CONSUL_NAMESPACE.'),
  partition: text(128).optional().describe('Consul Enterprise. Left out: CONSUL_PARTITION.'),
  timeoutMs: durationMs({ min: 100, max: 300_000 }).optional().meta({
    description: 'Longest time for a call that does not wait for changes.',
    default: DEFAULT_TIMEOUT_MS,
  }),
};

/** The variables that Consul's own programs heed. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Fills in checked options: what is not given comes from the environment variables of Consul's own tools.
 *
 * @param at where the options stand, for the errors
 * @throws ConfigError for an address in the environment that is none
 */
export function completeConnection(
  options: ConsulConnectionOptions,
  at: string,
  environment: Environment = process.env,
): ConsulConnection {
  const variable = (name: string): string | undefined => {
    const value = environment[name];
    return value === '' ? undefined : value;
  };
  const address = options.address ?? variable('CONSUL_HTTP_ADDR') ?? DEFAULT_ADDRESS;
  const target = parseHttpTarget(address, isTrue(variable('CONSUL_HTTP_SSL')));
  if (target === undefined) {
    throw configError(`${at}.address`, "'http://host:port' (from CONSUL_HTTP_ADDR)", address);
  }
  return {
    target,
    address,
    token: tokenOf(options, variable),
    tls: {
      caFile: options.tls?.caFile ?? variable('CONSUL_CACERT'),
      certFile: options.tls?.certFile ?? variable('CONSUL_CLIENT_CERT'),
      keyFile: options.tls?.keyFile ?? variable('CONSUL_CLIENT_KEY'),
      servername: options.tls?.servername ?? variable('CONSUL_TLS_SERVER_NAME'),
      rejectUnauthorized:
        options.tls?.rejectUnauthorized ?? !isFalse(variable('CONSUL_HTTP_SSL_VERIFY')),
    },
    namespace: options.namespace ?? variable('CONSUL_NAMESPACE'),
    partition: options.partition ?? variable('CONSUL_PARTITION'),
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  };
}

function tokenOf(
  options: ConsulConnectionOptions,
  variable: (name: string) => string | undefined,
): ConsulToken | undefined {
  if (options.token !== undefined) return { kind: 'text', text: options.token };
  const file =
    options.tokenFile ??
    (variable('CONSUL_HTTP_TOKEN') === undefined ? variable('CONSUL_HTTP_TOKEN_FILE') : undefined);
  if (file !== undefined) return { kind: 'file', path: file };
  const token = variable('CONSUL_HTTP_TOKEN');
  return token === undefined ? undefined : { kind: 'text', text: token };
}

const isTrue = (value: string | undefined): boolean => /^(1|t|true)$/i.test(value ?? '');
const isFalse = (value: string | undefined): boolean => /^(0|f|false)$/i.test(value ?? '');
