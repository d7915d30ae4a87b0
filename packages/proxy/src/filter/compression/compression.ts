/**
 * `compression`: compresses responses for clients that ask for it. What an endpoint has compressed already, what says
 * `no-transform`, parts of representations and what carries a digest of its bytes stay as they are. A strong entity tag
 * becomes a weak one, because the bytes are others (RFC 9110 section 8.8.1).
 */
import type { z } from 'zod';
import type { BodyFilter, Filter, FilterRequest, FilterResponse, FilterStatus } from '../filter.ts';
import type { FilterKind } from '../filter-kind.ts';
import { CompressedBody, hasCoding } from './compressed-body.ts';
import { MediaTypes } from './media-types.ts';
import { type Coding, negotiate } from './negotiate.ts';
import { type CompressionConfig, type CompressionOptions, compressionSchema } from './schema.ts';

export const compressionKind: FilterKind<z.ZodType<CompressionConfig, CompressionOptions>> = {
  name: 'compression',
  about: 'Compresses responses for clients that ask for it.',
  schema: compressionSchema,
  create: (config) => new CompressionFilter(config),
};

/** Fields that speak of the bytes of the body. */
const DIGESTS = ['content-digest', 'repr-digest', 'digest', 'content-md5'] as const;

class CompressionFilter implements Filter {
  readonly name = 'compression';
  readonly #config: CompressionConfig;
  readonly #codings: readonly Coding[];
  readonly #types: MediaTypes;
  /** What was decided with the head, until the body begins. */
  readonly #decided = new WeakMap<FilterRequest, { coding: Coding; flushes: boolean }>();
  #runningCount = 0;
  #skippedCount = 0;

  constructor(config: CompressionConfig) {
    this.#config = config;
    this.#codings = config.codings.filter(hasCoding);
    this.#types = new MediaTypes(config.types);
  }

  onResponse(response: FilterResponse, request: FilterRequest): void {
    const { headers, status, bodyBytes } = response;
    if (status === 304) {
      this.#keepTag(response, request);
      return;
    }
    if (!this.#isFit(response)) return;
    const isHead = request.method === 'HEAD';
    if (!isHead && bodyBytes !== undefined && bodyBytes < Math.max(1, this.#config.minBytes))
      return;
    // Whatever this client gets, another one may get another thing.
    headers.append('vary', 'Accept-Encoding');
    if (isHead) return;
    const coding = negotiate(request.header('accept-encoding'), this.#codings);
    if (coding === undefined) return;
    if (this.#runningCount >= this.#config.maxConcurrent) {
      this.#skippedCount++;
      return;
    }
    const { flush } = this.#config;
    const flushes = flush === 'always' || (flush === 'auto' && bodyBytes === undefined);
    this.#decided.set(request, { coding, flushes });
    headers.set('content-encoding', coding);
    // Parts of the plain body are not parts of this one.
    headers.remove('accept-ranges');
    const tag = response.header('etag');
    if (tag?.startsWith('"') === true) headers.set('etag', `W/${tag}`);
  }

  responseBody(_: FilterResponse, request: FilterRequest): BodyFilter | undefined {
    const decided = this.#decided.get(request);
    if (decided === undefined) return undefined;
    this.#decided.delete(request);
    this.#runningCount++;
    const { coding, flushes } = decided;
    return new CompressedBody({
      coding,
      flushes,
      level: this.#config.levels[coding],
      onClose: () => void this.#runningCount--,
    });
  }

  status(): FilterStatus {
    return { runningCount: this.#runningCount, skippedCount: this.#skippedCount };
  }

  #isFit(response: FilterResponse): boolean {
    const { status } = response;
    if (status < 200 || status === 204 || status === 206) return false;
    const type = response.header('content-type');
    if (type === undefined || !this.#types.has(type)) return false;
    const coding = response.header('content-encoding');
    if (coding !== undefined && coding.toLowerCase() !== 'identity') return false;
    if (hasDirective(response.header('cache-control'), 'no-transform')) return false;
    return DIGESTS.every((name) => response.header(name) === undefined);
  }

  /** A client that asks with the weak tag has to recognise its own (RFC 9111 section 4.3.4). */
  #keepTag(response: FilterResponse, request: FilterRequest): void {
    const tag = response.header('etag');
    if (tag?.startsWith('"') !== true) return;
    if (request.header('if-none-match')?.includes(`W/${tag}`) === true) {
      response.headers.set('etag', `W/${tag}`);
    }
  }
}

function hasDirective(field: string | undefined, directive: string): boolean {
  if (field === undefined) return false;
  return field.split(',').some((part) => part.trim().toLowerCase() === directive);
}
