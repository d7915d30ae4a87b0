/** Options of the filter `compression`. */
import { integer, object, oneOf, text } from '@evenkeel/core/schema';
import { z } from 'zod';
import type { Coding } from './negotiate.ts';

/** Responses compressed for clients that ask for it. */
export interface CompressionOptions {
  /** Offered codings; the first one wins where a client likes several alike. Default `['br', 'gzip']`. */
  readonly codings?: readonly Coding[] | undefined;
  /** Shorter bodies are sent as they are. 0..1,073,741,824, default 1,024. */
  readonly minBytes?: number | undefined;
  /** Media types, `text/*` for all of a kind. Default text, JSON, JavaScript, XML, SVG, WebAssembly and the like. */
  readonly types?: readonly string[] | undefined;
  /** Effort: gzip 1..9, default 5; br 0..11, default 4; zstd 1..19, default 3. */
  readonly levels?: { readonly [Name in Coding]?: number | undefined } | undefined;
  /**
   * When compressed bytes go out: `auto` after each chunk of a body of unknown length, so that event streams stay
   * prompt; `always`; or `never` before there are enough of them. Default `auto`.
   */
  readonly flush?: 'auto' | 'always' | 'never' | undefined;
  /** Bodies that are compressed at the same time; each takes 0.2 to 1 MB. Others are sent as they are. Default 1,000. */
  readonly maxConcurrent?: number | undefined;
}

export interface CompressionConfig {
  readonly codings: readonly Coding[];
  readonly minBytes: number;
  readonly types: readonly string[];
  readonly levels: Readonly<Record<Coding, number>>;
  readonly flush: 'auto' | 'always' | 'never';
  readonly maxConcurrent: number;
}

/** What gets smaller; pictures, sound, video, fonts and archives are compressed already. */
const TYPES = [
  'text/*',
  'application/json',
  'application/*+json',
  'application/x-ndjson',
  'application/javascript',
  'application/xml',
  'application/*+xml',
  'application/wasm',
  'application/manifest+json',
  'image/svg+xml',
  'image/bmp',
  'font/ttf',
  'font/otf',
] as const;

const TYPE = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+*-]+$/;

export const compressionSchema: z.ZodType<CompressionConfig, CompressionOptions> = object({
  codings: z
    .array(oneOf(['gzip', 'br', 'zstd']), { error: 'a list of codings' })
    .min(1, { error: 'at least one coding' })
    .default(['br', 'gzip'])
    .describe('Offered codings; the first one wins where a client likes several alike.'),
  minBytes: integer({ min: 0, max: 1_073_741_824 })
    .default(1_024)
    .describe('Shorter bodies are sent as they are.'),
  types: z
    .array(
      text(128).toLowerCase().regex(TYPE, { error: 'a media type without parameters, text/html' }),
      { error: 'a list of media types' },
    )
    .default([...TYPES])
    .describe('Media types, `text/*` for all of a kind.'),
  levels: object({
    gzip: integer({ min: 1, max: 9 }).default(5).describe('Effort of gzip.'),
    br: integer({ min: 0, max: 11 }).default(4).describe('Effort of Brotli.'),
    zstd: integer({ min: 1, max: 19 }).default(3).describe('Effort of Zstandard.'),
  })
    .prefault({})
    .describe('Effort: gzip 1..9, default 5; br 0..11, default 4; zstd 1..19, default 3.'),
  flush: oneOf(['auto', 'always', 'never'])
    .default('auto')
    .describe(
      'When compressed bytes go out: `auto` after each chunk of a body of unknown length, so that event streams stay prompt; `always`; or `never` before there are enough of them.',
    ),
  maxConcurrent: integer({ min: 1, max: 1_000_000 })
    .default(1_000)
    .describe(
      'Bodies that are compressed at the same time; each takes 0.2 to 1 MB. Others are sent as they are.',
    ),
}) as z.ZodType<CompressionConfig, CompressionOptions>;
