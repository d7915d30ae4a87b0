/** What a file holds: the options of a proxy in the form of files, with the clusters by name. */
import type { DiscoverySource, JsonSchema } from '@evenkeel/core';
import { clusterEntrySchema, jsonSchemaOf } from '@evenkeel/core/config';
import { z } from 'zod';
import { adminSchema } from '../admin-options.ts';
import { type CheckedOptions, proxySchemaWith } from '../proxy-schema.ts';

const ABOUT_CLUSTERS =
  'Groups of endpoints that do the same, by the names that routes have for them.';

const byName = (cluster: z.ZodType): z.ZodType =>
  z.record(z.string(), cluster, { error: 'clusters by their names' }).describe(ABOUT_CLUSTERS);

/** A file may say where the admin address is; programs pass it to `createAdmin` themselves. */
const ADMIN = {
  admin: adminSchema
    .optional()
    .describe('Where the admin API and its page are. Left out: nowhere.'),
};

/** Clusters are read one by one by those who know them. */
export const proxyFileSchema: z.ZodType<CheckedOptions> = proxySchemaWith(
  byName(z.unknown()),
  ADMIN,
);

export interface ProxyJsonSchemaOptions {
  /** `file`: what a file holds (`timeouts: { head: 5s }`). `code`: the same in the words of code (`headMs: 5000`). */
  readonly form: 'code' | 'file';
  /** Sources of endpoints from other entries, besides the built-in ones: `[consulSource]`. */
  readonly sources?: readonly DiscoverySource[] | undefined;
}

/** JSON Schema (draft 2020-12) of a proxy's file, for editors that complete and check what is typed. */
export function proxyJsonSchema({ form, sources = [] }: ProxyJsonSchemaOptions): JsonSchema {
  const cluster = clusterEntrySchema(sources).meta({ title: 'A cluster' });
  const schema = proxySchemaWith(byName(cluster), form === 'file' ? ADMIN : {});
  return { title: `A proxy of Evenkeel, ${form} form`, ...jsonSchemaOf(schema, form) };
}
