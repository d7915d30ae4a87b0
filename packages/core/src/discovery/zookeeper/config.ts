import type { z } from 'zod';
import { durationMs, integer, object, oneOf, text } from '../../schema/fields.ts';
import {
  completeWatchOptions,
  type WatchConfig,
  type WatchOptions,
  watchShape,
} from '../registry/config.ts';
import {
  completeConnection,
  connectionShape,
  nodePath,
  type ZookeeperConnection,
  type ZookeeperConnectionOptions,
} from './client/connection-config.ts';
import type { PayloadRules } from '../payload/decode-payload.ts';
import { PAYLOAD_FORMATS, type PayloadFormat } from '../payload/instance.ts';

/** What a user passes to `zookeeper()`: `servers`, `path`, and whatever differs from the defaults. */
export interface ZookeeperOptions extends ZookeeperConnectionOptions, WatchOptions {
  /** Node whose children are the instances: `/services/users`. */
  readonly path: string;
  /** How an instance is written into its node. Default `auto`: told apart by what it looks like, node by node. */
  readonly format?: PayloadFormat | 'auto' | undefined;
  /** Of a serverset the name of an additional endpoint; of Curator `ssl`. Default: the main endpoint. */
  readonly endpoint?: string | undefined;
  /** Nodes that are read at a time, 1..4,096. Default 256. */
  readonly maxConcurrentReads?: number | undefined;
  /** Longest time for reading everything, 100 ms..5 min. Default 30,000. */
  readonly readTimeoutMs?: number | undefined;
}

/** Options with the defaults filled in. */
export interface ZookeeperConfig {
  readonly connection: ZookeeperConnection;
  readonly watch: WatchConfig;
  /** With the chroot. */
  readonly path: string;
  readonly rules: PayloadRules;
  readonly maxConcurrentReads: number;
  readonly readTimeoutMs: number;
}

const DEFAULTS = { maxConcurrentReads: 256, readTimeoutMs: 30_000 } as const;

/** The data form: `{ zookeeper: { servers, path, ... } }`. */
export const zookeeperSchema: z.ZodType<ZookeeperOptions> = object({
  ...connectionShape,
  path: nodePath().describe('Node whose children are the instances.'),
  format: oneOf(['auto', ...PAYLOAD_FORMATS])
    .optional()
    .meta({ description: 'How an instance is written into its node.', default: 'auto' }),
  endpoint: text(256)
    .optional()
    .describe('Of a serverset the name of an additional endpoint; of Curator ssl.'),
  maxConcurrentReads: integer({ min: 1, max: 4_096 }).optional().meta({
    description: 'Nodes that are read at a time.',
    default: DEFAULTS.maxConcurrentReads,
  }),
  readTimeoutMs: durationMs({ min: 100, max: 300_000 }).optional().meta({
    description: 'Longest time for reading everything.',
    default: DEFAULTS.readTimeoutMs,
  }),
  ...watchShape,
});

/** Fills in the defaults of checked options. */
export function completeZookeeperOptions(options: ZookeeperOptions): ZookeeperConfig {
  const connection = completeConnection(options);
  return {
    connection,
    watch: completeWatchOptions(options),
    path: `${connection.chroot}${options.path}`,
    rules: { format: options.format ?? 'auto', endpoint: options.endpoint },
    maxConcurrentReads: options.maxConcurrentReads ?? DEFAULTS.maxConcurrentReads,
    readTimeoutMs: options.readTimeoutMs ?? DEFAULTS.readTimeoutMs,
  };
}
