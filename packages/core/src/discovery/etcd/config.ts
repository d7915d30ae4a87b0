import type { z } from 'zod';
import { durationMs, object, oneOf, text } from '../../schema/fields.ts';
import {
  completeWatchOptions,
  type WatchConfig,
  type WatchOptions,
  watchShape,
} from '../registry/config.ts';
import {
  completeConnection,
  connectionShape,
  type EtcdConnection,
  type EtcdConnectionOptions,
} from './client/connection-config.ts';
import { ETCD_FORMATS, type EtcdFormat } from './value/decode-value.ts';

/** Who answers a reading: `serializable` any member, `linearizable` one that has asked the others. */
export type EtcdConsistency = 'serializable' | 'linearizable';

/** What a user passes to `etcd()`: `prefix`, and whatever differs from the defaults. */
export interface EtcdOptions extends EtcdConnectionOptions, WatchOptions {
  /** Every key that begins with this is an instance: `/services/users/`. Without the `/` at its end, `/services/users2` is one, too. */
  readonly prefix: string;
  /** How instances are written. Default `auto`: each value by what it looks like. */
  readonly format?: EtcdFormat | 'auto' | undefined;
  /** Default `serializable`. A second look at a suspicious answer is always `linearizable`. */
  readonly consistency?: EtcdConsistency | undefined;
  /**
   * A watch that has been quiet for this long is opened anew, 1 s..10 min. Default 15,000. A dead connection is noticed
   * after this and `timeoutMs`.
   */
  readonly waitMs?: number | undefined;
}

/** Options with the defaults filled in. */
export interface EtcdConfig {
  readonly prefix: string;
  readonly connection: EtcdConnection;
  readonly watch: WatchConfig;
  readonly format: EtcdFormat | 'auto';
  readonly consistency: EtcdConsistency;
  readonly waitMs: number;
}

const DEFAULT_WAIT_MS = 15_000;

/** The data form: `{ etcd: { prefix, ... } }`. */
export const etcdSchema: z.ZodType<EtcdOptions> = object({
  prefix: text(1_024).describe('Every key that begins with this is an instance.'),
  ...connectionShape,
  format: oneOf(['auto', ...ETCD_FORMATS])
    .optional()
    .meta({ description: 'How instances are written.', default: 'auto' }),
  consistency: oneOf(['serializable', 'linearizable'])
    .optional()
    .meta({ description: 'Who answers a reading.', default: 'serializable' }),
  waitMs: durationMs({ min: 1_000, max: 600_000 }).optional().meta({
    description: 'A watch that has been quiet for this long is opened anew.',
    default: DEFAULT_WAIT_MS,
  }),
  ...watchShape,
});

/** Fills in the defaults of checked options. @throws ConfigError for what the environment says */
export function completeEtcdOptions(options: EtcdOptions, path: string): EtcdConfig {
  return {
    prefix: options.prefix,
    connection: completeConnection(options, path),
    watch: completeWatchOptions(options),
    format: options.format ?? 'auto',
    consistency: options.consistency ?? 'serializable',
    waitMs: options.waitMs ?? DEFAULT_WAIT_MS,
  };
}
