import { z } from 'zod';
import type { EndpointInput } from '../model/endpoint.ts';
import { object } from '../schema/fields.ts';
import { afterMsSchema, type FallbackOptions } from './compose/fallback.ts';
import { MAX_SOURCES } from './compose/sources.ts';
import type { DiscoverySource } from './discovery-source.ts';
import { type DnsOptions, dnsSchema } from './dns/config.ts';
import { endpointSchema } from './endpoint-list.ts';
import { type FileOptions, fileSchema } from './file/config.ts';

/** Discovery as data, for configuration files: a list of endpoints, or an object that names one kind of source. */
export type DiscoveryConfig = readonly EndpointInput[] | DiscoverySourceConfig;

/** Exactly one of the keys is given. */
export interface DiscoverySourceConfig {
  readonly static?: readonly EndpointInput[] | undefined;
  readonly file?: FileOptions | undefined;
  readonly dns?: DnsOptions | undefined;
  readonly merge?: readonly DiscoveryConfig[] | undefined;
  readonly fallback?: readonly DiscoveryConfig[] | FallbackConfig | undefined;
}

/** The long form of `fallback`, with its options. */
export interface FallbackConfig extends FallbackOptions {
  readonly sources: readonly DiscoveryConfig[];
}

const endpointList = z.array(endpointSchema, { error: 'a list of endpoints' });

/**
 * The data form of `discovery`, also for the JSON Schema of the whole configuration.
 *
 * @param kinds sources of other entries that data may name besides the built-in ones
 */
export function discoverySchemaOf(kinds: readonly DiscoverySource[]): z.ZodType<DiscoveryConfig> {
  const sources = z
    .array(
      z.lazy(() => schema),
      { error: 'a list of sources' },
    )
    .min(1, { error: 'at least one source' })
    .max(MAX_SOURCES, { error: `at most ${MAX_SOURCES} sources` });
  const shape = {
    static: endpointList.optional().describe('Endpoints that never change.'),
    file: fileSchema.optional().describe('A file that is watched.'),
    dns: dnsSchema.optional().describe('Names in DNS, looked up as their TTL says.'),
    ...Object.fromEntries(
      kinds.map(({ kind, schema: options, description }) => [
        kind,
        options.optional().describe(description),
      ]),
    ),
    merge: sources.optional().describe('The endpoints of all these sources together.'),
    fallback: z
      .union(
        [
          sources,
          object({
            sources: sources.describe('Sources, the preferred one first.'),
            afterMs: afterMsSchema.optional(),
          }),
        ],
        { error: 'a list of sources, or an object with sources and afterMs' },
      )
      .optional()
      .describe('The first of these sources that is fit.'),
  };
  const words = Object.keys(shape);
  const one = object(shape)
    .refine((value) => Object.values(value).filter((part) => part !== undefined).length === 1, {
      error: `exactly one of ${words.join(', ')}`,
      when: ({ issues }) => issues.length === 0,
    })
    .meta({ title: 'Source of endpoints', description: 'Exactly one of these.' });
  const schema: z.ZodType<DiscoveryConfig> = z.union([endpointList, one], {
    error: `a list of endpoints, or an object with one of ${words.join(', ')}`,
  });
  return schema;
}

/** With the built-in kinds only. */
export const discoverySchema: z.ZodType<DiscoveryConfig> = discoverySchemaOf([]);
