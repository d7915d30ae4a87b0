/**
 * `@evenkeel/core/config`: how files are read, for the packages of Evenkeel that have files of their own. Options are
 * described once, in the form of code; the form of files (`5s` for a duration) and the JSON Schema follow from it.
 */
import type { z } from 'zod';
import type { DiscoverySource } from '../discovery/discovery-source.ts';
import { BUILT_IN_POLICIES } from '../policy/built-in.ts';
import { clusterSchema } from './cluster-config.ts';
import { policySchemaOf } from './policy-schema.ts';

export { ConfigDocument, type ConfigDocumentOptions } from './config-document.ts';
export { codeFormOf } from './file-form.ts';
export { jsonSchemaOf } from './json-schema.ts';
export {
  FileFollower,
  type FileListener,
  type FollowedFile,
  readFailureOf,
} from '../discovery/file/file-follower.ts';
export { type FileReading, readTextFile } from '../discovery/file/read-file.ts';

/** The schema of a cluster as it stands below its name in a larger file. */
export function clusterEntrySchema(sources: readonly DiscoverySource[] = []): z.ZodType {
  return clusterSchema(policySchemaOf(BUILT_IN_POLICIES), false, sources);
}
