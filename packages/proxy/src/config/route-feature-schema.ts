/** Checks what a route does with requests on their way. */
import { type HedgeConfig, hedgeSchema } from '@evenkeel/core/resilience';
import { durationMs, integer, number, object, text } from '@evenkeel/core/schema';
import { z } from 'zod';
import { headerName } from './match-schema.ts';

/** Checked features of a route. */
export interface RouteFeatureConfig {
  readonly mirror: MirrorConfig | undefined;
  readonly hedge: HedgeConfig | undefined;
  readonly bufferBytes: number | undefined;
  readonly failover: readonly string[];
  readonly maxBodyBytes: number | undefined;
  readonly fault: FaultConfig | undefined;
}

export interface MirrorConfig {
  readonly cluster: string;
  readonly percent: number;
  readonly maxBytes: number;
}

export interface FaultConfig {
  readonly delay: { readonly durationMs: number; readonly percent: number } | undefined;
  readonly abort: { readonly status: number; readonly percent: number } | undefined;
  /** In lower case. */
  readonly header: string | undefined;
}

const HOUR_MS = 3_600_000;
const MAX_BUFFER_BYTES = 67_108_864;

const percent = (): z.ZodDefault<z.ZodNumber> => number({ min: 0, max: 100 }).default(100);

const mirrorSchema: z.ZodType<MirrorConfig> = object({
  cluster: text(253).describe('Name of the cluster that gets the copies.'),
  percent: percent().describe('Part of the requests, drawn.'),
  maxBytes: integer({ min: 1, max: 16_777_216 })
    .default(65_536)
    .describe('Requests with more bytes are not copied.'),
});

const bufferSchema: z.ZodType<{ readonly maxBytes: number }> = object({
  maxBytes: integer({ min: 1, max: MAX_BUFFER_BYTES }).describe(
    'Larger bodies are refused with 413.',
  ),
});

const faultSchema: z.ZodType<FaultConfig> = object({
  delay: object({
    durationMs: durationMs({ min: 1, max: HOUR_MS }).describe('How long.'),
    percent: percent().describe('Part of the requests, drawn.'),
  })
    .optional()
    .describe('Part of the requests waits.'),
  abort: object({
    status: integer({ min: 200, max: 599 }).describe('Status of the answer.'),
    percent: percent().describe('Part of the requests, drawn.'),
  })
    .optional()
    .describe('Part of the requests is answered from here.'),
  header: headerName.optional().describe('Only for requests with this header. Left out: all.'),
})
  .refine(({ delay, abort }) => delay !== undefined || abort !== undefined, {
    error: 'at least one of delay and abort',
  })
  .transform(({ delay, abort, header }) => ({ delay, abort, header: header?.toLowerCase() }));

const failoverSchema: z.ZodType<readonly string[]> = z
  .array(text(253), { error: 'a list of names of clusters' })
  .max(8, { error: 'up to 8 clusters' });

/** Fields of the schema of a route. */
export interface FeatureFields {
  readonly mirror: z.ZodOptional<z.ZodType<MirrorConfig>>;
  readonly hedge: z.ZodOptional<z.ZodType<HedgeConfig>>;
  readonly buffer: z.ZodOptional<typeof bufferSchema>;
  readonly failover: z.ZodOptional<z.ZodType<readonly string[]>>;
  readonly maxBodyBytes: z.ZodOptional<z.ZodNumber>;
  readonly fault: z.ZodOptional<z.ZodType<FaultConfig>>;
}

export const featureFields: FeatureFields = {
  mirror: mirrorSchema
    .optional()
    .describe('Sends a copy of requests to another cluster, too; nothing comes of its answers.'),
  hedge: hedgeSchema
    .optional()
    .describe('Asks a second endpoint when the first one takes long. Left out: never.'),
  buffer: bufferSchema
    .optional()
    .describe('Reads the whole body of a request before an endpoint is asked. Left out: never.'),
  failover: failoverSchema
    .optional()
    .describe('Clusters to turn to, in this order, when the one of the route cannot serve.'),
  maxBodyBytes: integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
    .optional()
    .describe('Largest body of a request in bytes. Left out: `limits.maxBodyBytes`.'),
  fault: faultSchema.optional().describe('Has requests wait or fail on purpose. Left out: never.'),
};

/** What the fields say. */
type RawFeatures = {
  readonly [Key in keyof FeatureFields]?: z.output<FeatureFields[Key]>;
};

/** The same for the compiler of routes. */
export function featuresOf(raw: RawFeatures): RouteFeatureConfig {
  const { mirror, hedge, buffer, failover = [], maxBodyBytes, fault } = raw;
  return { mirror, hedge, bufferBytes: buffer?.maxBytes, failover, maxBodyBytes, fault };
}

/** Are there features for requests that are passed on? */
export function needsCluster({ mirror, hedge, buffer, failover }: RawFeatures): boolean {
  return [mirror, hedge, buffer, failover].some((feature) => feature !== undefined);
}
