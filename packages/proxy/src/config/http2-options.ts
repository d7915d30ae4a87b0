/** What users write about HTTP/2, on the side of clients and on that of endpoints. */
import { flag, integer, object, oneOf } from '@evenkeel/core/schema';
import { z } from 'zod';

/** Limits of one connection of HTTP/2. */
export interface Http2Options {
  /** Streams that the peer may have open at once. 1..100,000, default 100. */
  readonly maxConcurrentStreams?: number | undefined;
  /** Bytes of one stream's body that may be under way or held. 65,535..16,777,216, default 262,144. */
  readonly streamWindowBytes?: number | undefined;
  /** The same of all streams of a connection together. 65,535..67,108,864, default 1,048,576. */
  readonly connectionWindowBytes?: number | undefined;
  /**
   * Streams that a client may break off per second, after a burst of five times as many; more closes the connection
   * (CVE-2023-44487). 1..1,000,000, default 100.
   */
  readonly maxResetsPerSecond?: number | undefined;
}

/** HTTP/2 to the endpoints of a cluster. */
export interface UpstreamHttp2Options {
  /**
   * `always`: with TLS by ALPN, in clear text from the first byte (prior knowledge); an endpoint without HTTP/2 cannot be
   * reached then. `auto`: with TLS what ALPN says, in clear text HTTP/1.1. Default `always`.
   */
  readonly mode?: 'always' | 'auto' | undefined;
  /** Streams on one connection; the endpoint may allow fewer. 1..100,000, default 100. */
  readonly maxStreamsPerConnection?: number | undefined;
  /** Connections per endpoint; another one is made when those that there are have no room. 1..1,024, default 8. */
  readonly maxConnectionsPerEndpoint?: number | undefined;
  /** After how much silence an endpoint is asked whether it is there. 1,000..86,400,000 ms, default 30,000. */
  readonly pingMs?: number | undefined;
}

/** Checked options. */
export interface Http2Config {
  readonly maxConcurrentStreams: number;
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  readonly maxResetsPerSecond: number;
}

export interface UpstreamHttp2Config {
  readonly mode: 'always' | 'auto';
  readonly maxStreamsPerConnection: number;
  readonly maxConnectionsPerEndpoint: number;
  readonly pingMs: number;
}

const optionsSchema = object({
  maxConcurrentStreams: integer({ min: 1, max: 100_000 })
    .default(100)
    .describe('Streams that a client may have open at once on a connection.'),
  streamWindowBytes: integer({ min: 65_535, max: 16_777_216 })
    .default(262_144)
    .describe("Bytes of one stream's body that may be under way or held."),
  connectionWindowBytes: integer({ min: 65_535, max: 67_108_864 })
    .default(1_048_576)
    .describe('The same of all streams of a connection together.'),
  maxResetsPerSecond: integer({ min: 1, max: 1_000_000 })
    .default(100)
    .describe(
      'Streams that a client may break off per second, after a burst of five times as many; more closes the connection.',
    ),
});

/** Of a listener: on unless it says `false`. */
export const http2Schema: z.ZodType<Http2Config | false, boolean | Http2Options | undefined> = z
  .union([flag(), optionsSchema], { error: 'true, false or limits' })
  .default(true)
  .transform((given) => (given === true ? optionsSchema.parse({}) : given));

const upstreamSchema = object({
  mode: oneOf(['always', 'auto'])
    .default('always')
    .describe(
      '`always`: by ALPN with TLS, else from the first byte. `auto`: what ALPN says, and HTTP/1.1 in clear text.',
    ),
  maxStreamsPerConnection: integer({ min: 1, max: 100_000 })
    .default(100)
    .describe('Streams on one connection; the endpoint may allow fewer.'),
  maxConnectionsPerEndpoint: integer({ min: 1, max: 1_024 })
    .default(8)
    .describe('Connections per endpoint, made when those that there are have no room.'),
  pingMs: integer({ min: 1_000, max: 86_400_000 })
    .default(30_000)
    .describe('After how much silence an endpoint is asked whether it is there.'),
});

/** Of the endpoints of a cluster: off unless it says something else. */
export const upstreamHttp2Schema: z.ZodType<
  UpstreamHttp2Config | false,
  boolean | 'auto' | UpstreamHttp2Options | undefined
> = z
  .union([flag(), z.literal('auto'), upstreamSchema], { error: "true, false, 'auto' or limits" })
  .default(false)
  .transform((given) => {
    if (given === false || typeof given === 'object') return given;
    return upstreamSchema.parse({ mode: given === 'auto' ? 'auto' : 'always' });
  });
