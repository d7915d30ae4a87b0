import type { z } from 'zod';
import { ConfigError, type ConfigIssue } from '../error/config-error.ts';
import type { Discovery } from './resolver.ts';

/**
 * A kind of source that data may name, `{ consul: { service: users } }`, although it lives in an entry of its own, which
 * the main entry never loads: whoever reads such data passes it along, as `sources: [consulSource]`.
 */
export interface DiscoverySource {
  /** The key in the data: a word. */
  readonly kind: string;
  /** Of the options below the key, in the form of code. */
  readonly schema: z.ZodType;
  /** For the reference and for editors. */
  readonly description: string;
  /** @param path where the options stand, for the errors. @throws ConfigError */
  create(options: unknown, path: string): Discovery;
}

/** Kinds with entries of their own, and what to pass for them. */
const ENTRIES: ReadonlyMap<string, string> = new Map([
  ['consul', "`sources: [consulSource]` from '@evenkeel/core/consul'"],
  ['etcd', "`sources: [etcdSource]` from '@evenkeel/core/etcd'"],
  ['zookeeper', "`sources: [zookeeperSource]` from '@evenkeel/core/zookeeper'"],
]);

/**
 * Runs a decoder of data that may name sources. Where a kind is unknown only because its entry was not passed, the error
 * says what to pass.
 */
export function withEntryHints<T>(decoder: () => T): T {
  try {
    return decoder();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(error.issues.map(hinted), error.cause);
  }
}

function hinted(issue: ConfigIssue): ConfigIssue {
  const entry = ENTRIES.get(issue.path.slice(issue.path.lastIndexOf('.') + 1));
  const isUnknownKind = issue.expected.startsWith('no such option (known: static, ');
  return entry !== undefined && isUnknownKind
    ? { ...issue, expected: `${issue.expected}, unless the program passes ${entry}` }
    : issue;
}
