/** What users write about listeners that pass on bytes or datagrams, whatever they mean. */
import { type RetryConfig, type RetryPolicyOptions, retrySchema } from '@evenkeel/core/resilience';
import { durationMs, integer, object, text } from '@evenkeel/core/schema';
import { z } from 'zod';

/** A listener that relays TCP connections. `cluster` or `sni` or both. */
export interface TcpOptions {
  /** Where connections go; with `sni` those that ask for no name, or for one that is not listed, or are not TLS. */
  readonly cluster?: string | undefined;
  /**
   * TLS passed through, by the name that the client asks for: nothing is decrypted, and the endpoints hold the
   * certificates. Who asks for anything else goes to `cluster`, or is closed if there is none; who begins like TLS and
   * then breaks its rules is always closed.
   */
  readonly sni?: readonly SniOptions[] | undefined;
  /** Longest silence of both sides. 1 ms..24 h, default 300,000. */
  readonly idleTimeoutMs?: number | undefined;
  /** For one try to connect to an endpoint. 1 ms..24 h, default 3,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** For the whole first message of a TLS client, where `sni` is given. 1 ms..24 h, default 5,000. */
  readonly helloTimeoutMs?: number | undefined;
  /** Connecting to another endpoint when one cannot be reached. Default two more tries; false for none. */
  readonly retry?: RetryPolicyOptions | false | undefined;
}

export interface SniOptions {
  /** `a.example`; `*.b.example` for every name one label longer. The exact one wins over the other. */
  readonly names: readonly string[];
  readonly cluster: string;
}

/** A listener that relays datagrams. */
export interface UdpOptions {
  readonly cluster: string;
  /** A session is over after so long a silence of both sides. 1 ms..24 h, default 60,000. */
  readonly idleTimeoutMs?: number | undefined;
  /** Sessions at a time, each with a socket of its own; further clients are not served. 1..60,000, default 10,000. */
  readonly maxSessions?: number | undefined;
}

/** Checked options. */
export interface TcpConfig {
  readonly cluster?: string | undefined;
  readonly sni?: readonly SniOptions[] | undefined;
  readonly idleTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly helloTimeoutMs: number;
  readonly retry: RetryConfig | false;
}

export interface UdpConfig {
  readonly cluster: string;
  readonly idleTimeoutMs: number;
  readonly maxSessions: number;
}

const DAY_MS = 86_400_000;
const limitMs = (defaultMs: number): z.ZodDefault<z.ZodNumber> =>
  durationMs({ min: 1, max: DAY_MS }).default(defaultMs);

/** Labels as in RFC 1123, with `_` allowed because names in the wild carry it. */
const NAME = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i;

const sniSchema = object({
  names: z
    .array(text(253).regex(NAME, { error: 'a host name, a.example, or a wildcard, *.b.example' }))
    .min(1, { error: 'at least one name' })
    .describe('`a.example`; `*.b.example` for every name one label longer.'),
  cluster: text(253).describe('Name of the cluster that holds the certificates.'),
});

export const tcpSchema: z.ZodType<TcpConfig, TcpOptions> = object({
  cluster: text(253)
    .optional()
    .describe('Where connections go; with `sni` those that it does not name.'),
  sni: z
    .array(sniSchema)
    .min(1, { error: 'at least one cluster with its names' })
    .optional()
    .describe('TLS passed through, by the name that the client asks for.'),
  idleTimeoutMs: limitMs(300_000).describe('Longest silence of both sides.'),
  connectTimeoutMs: limitMs(3_000).describe('For one try to connect to an endpoint.'),
  helloTimeoutMs: limitMs(5_000).describe(
    'For the whole first message of a TLS client, where `sni` is given.',
  ),
  retry: z
    .union([z.literal(false), retrySchema])
    .prefault({})
    .describe('Connecting to another endpoint when one cannot be reached; false for none.'),
})
  .refine(({ cluster, sni }) => cluster !== undefined || sni !== undefined, {
    error: 'cluster, sni, or both',
  })
  .refine(({ sni }) => areDistinct(sni ?? []), { error: 'each name once', path: ['sni'] });

export const udpSchema: z.ZodType<UdpConfig, UdpOptions> = object({
  cluster: text(253).describe('Name of the cluster.'),
  idleTimeoutMs: limitMs(60_000).describe(
    'A session is over after so long a silence of both sides.',
  ),
  maxSessions: integer({ min: 1, max: 60_000 })
    .default(10_000)
    .describe('Sessions at a time, each with a socket of its own.'),
});

function areDistinct(sni: readonly SniOptions[]): boolean {
  const names = sni.flatMap((side) => side.names.map((name) => name.toLowerCase()));
  return new Set(names).size === names.length;
}

export interface NamedCluster {
  /** Below the listener: `tcp.sni[0].cluster`. */
  readonly at: string;
  readonly cluster: string;
}

/** The clusters that a listener names. */
export function layer4ClustersOf(listener: {
  readonly tcp?: TcpConfig | undefined;
  readonly udp?: UdpConfig | undefined;
}): NamedCluster[] {
  const { tcp, udp } = listener;
  return [
    ...(tcp?.cluster === undefined ? [] : [{ at: 'tcp.cluster', cluster: tcp.cluster }]),
    ...(tcp?.sni ?? []).map(({ cluster }, index) => ({ at: `tcp.sni[${index}].cluster`, cluster })),
    ...(udp === undefined ? [] : [{ at: 'udp.cluster', cluster: udp.cluster }]),
  ];
}
