import { hostname } from 'node:os';
import { z } from 'zod';
import { configError } from '../error/config-error.ts';
import { createLocality, type Locality } from '../model/locality.ts';
import { decode } from '../schema/decode.ts';
import { durationMs, integer, object, text } from '../schema/fields.ts';
import type { Announcement, Registry } from './registration.ts';

/** What a user passes to `register()`. */
export interface RegisterOptions {
  /** Where: `consulRegistry()`. */
  readonly registry: Registry;
  /** Name of the service that this process is an instance of. */
  readonly service: string;
  /** Port that it serves on, 1..65,535. */
  readonly port: number;
  /** Host or IP address that clients reach it at. Default: that of the registry's agent on this host. */
  readonly address?: string | undefined;
  /** Identity among the instances of the service. Default: service, address or host name, and port. */
  readonly id?: string | undefined;
  /** Relative share of the traffic, 1..65,535. Default 1. */
  readonly weight?: number | undefined;
  /** At most 64. Default: none. */
  readonly tags?: readonly string[] | undefined;
  /** Free labels, at most 64. Default: none. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Where this process stands. Default: unknown. */
  readonly locality?: Partial<Locality> | undefined;
  /** How long `close()` waits after the announcement is gone, for clients to hear of it, 0..5 min. Default 1,000. */
  readonly lingerMs?: number | undefined;
}

/** Checked, with the defaults filled in. */
export interface RegisterConfig {
  readonly registry: Registry;
  readonly announcement: Announcement;
  readonly lingerMs: number;
}

const MAX_LABELS = 64;

const schema = object({
  registry: z.unknown(),
  service: text(128),
  port: integer({ min: 1, max: 65_535 }),
  address: text(253).optional(),
  id: text(256).optional(),
  weight: integer({ min: 1, max: 65_535 }).default(1),
  tags: z
    .array(text(128), { error: 'a list of tags' })
    .max(MAX_LABELS, { error: `at most ${MAX_LABELS} tags` })
    .default([]),
  metadata: z
    .record(text(128), z.string({ error: 'a text' }).max(512, { error: 'a shorter text' }), {
      error: 'labels: texts by name',
    })
    .refine((labels) => Object.keys(labels).length <= MAX_LABELS, {
      error: `at most ${MAX_LABELS} labels`,
    })
    .default({}),
  locality: object({
    region: text(256).optional(),
    zone: text(256).optional(),
    subzone: text(256).optional(),
  }).optional(),
  lingerMs: durationMs({ min: 0, max: 300_000 }).default(1_000),
});

/** @throws ConfigError naming every wrong option */
export function decodeRegisterOptions(raw: RegisterOptions): RegisterConfig {
  const { registry } = raw;
  if (typeof registry?.open !== 'function') {
    throw configError('register.registry', 'a registry: consulRegistry()', registry);
  }
  const options = decode(schema, raw, 'register');
  const { service, port, address, weight, tags, metadata, lingerMs } = options;
  const { region = '', zone = '', subzone = '' } = options.locality ?? {};
  return {
    registry,
    lingerMs,
    announcement: {
      id: options.id ?? `${service}-${address ?? hostname()}-${port}`,
      service,
      address,
      port,
      weight,
      tags,
      metadata,
      locality: createLocality({ region, zone, subzone }),
    },
  };
}
