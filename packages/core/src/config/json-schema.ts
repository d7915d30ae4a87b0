/**
 * JSON Schema (draft 2020-12) of a cluster's options, for editors that complete and check files, and for the reference
 * documentation.
 */
import { z } from 'zod';
import type { DiscoverySource } from '../discovery/discovery-source.ts';
import { BUILT_IN_POLICIES } from '../policy/built-in.ts';
import type { Policy } from '../policy/policy.ts';
import { DURATION_MARK } from '../schema/fields.ts';
import { clusterSchema } from './cluster-config.ts';
import { DURATION_PATTERN } from './duration.ts';
import { fileSchemaOf } from './file-schema.ts';
import { policySchemaOf } from './policy-schema.ts';

/** A JSON Schema document: plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface JsonSchemaOptions {
  /** `code`: what `createCluster` takes (`intervalMs: 5000`). `file`: what a file holds (`interval: 5s`). */
  readonly form: 'code' | 'file';
  /** Policies of one's own, besides the built-in ones. */
  readonly policies?: readonly Policy[] | undefined;
  /** Sources of endpoints from other entries, besides the built-in ones: `[consulSource]`. */
  readonly sources?: readonly DiscoverySource[] | undefined;
}

/** The schema of one cluster's options. What only code can express (functions) is left out. */
export function clusterJsonSchema(options: JsonSchemaOptions): JsonSchema {
  const { form, policies = [], sources = [] } = options;
  const schema = clusterSchema(policySchemaOf([...BUILT_IN_POLICIES, ...policies]), true, sources);
  return { title: `A cluster of Evenkeel, ${form} form`, ...jsonSchemaOf(schema, form) };
}

/** The JSON Schema of what a schema takes in. */
export function jsonSchemaOf(schema: z.ZodType, form: 'code' | 'file'): JsonSchema {
  const json = z.toJSONSchema(form === 'file' ? fileSchemaOf(schema) : schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      Reflect.deleteProperty(jsonSchema, DURATION_MARK);
      // zod drops these where a value is converted, as durations in files are, although they describe what is taken in.
      const { default: byDefault, examples } = z.globalRegistry.get(zodSchema) ?? {};
      if (byDefault !== undefined) jsonSchema.default = byDefault as never;
      if (examples !== undefined) jsonSchema.examples = examples as never;
      if (jsonSchema.pattern !== DURATION_PATTERN) return;
      delete jsonSchema.pattern;
      delete jsonSchema.type;
      jsonSchema.$ref = '#/$defs/duration';
    },
  });
  const { $defs = {}, ...rest } = json;
  const duration = {
    type: 'string',
    pattern: DURATION_PATTERN,
    examples: ['5s', '100ms', '1m30s'],
  };
  const defs = form === 'file' ? { ...$defs, duration } : $defs;
  return Object.keys(defs).length === 0 ? rest : { ...rest, $defs: defs };
}
