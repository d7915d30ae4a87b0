/**
 * `bodyLimit`: refuses request bodies that are too long, by what they announce or as soon as they are longer (413,
 * RFC 9110 section 15.5.14).
 */
import { integer, object } from '@evenkeel/core/schema';
import type { z } from 'zod';
import {
  type BodyFilter,
  BodyRefusal,
  type Filter,
  type FilterAnswer,
  type FilterRequest,
} from '../filter.ts';
import type { FilterKind } from '../filter-kind.ts';

export interface BodyLimitOptions {
  /** Bytes of a request body at most. 0 allows none; up to 1 TiB. */
  readonly maxBytes: number;
}

const MAX_BYTES = 2 ** 40;
const REASON = 'body-too-large';
const REFUSAL: FilterAnswer = { status: 413, reason: REASON };

export const bodyLimitKind: FilterKind<z.ZodType<BodyLimitOptions, BodyLimitOptions>> = {
  name: 'bodyLimit',
  about: 'Longest request body.',
  schema: object({
    maxBytes: integer({ min: 0, max: MAX_BYTES }).describe(
      'Bytes of a request body at most. 0 allows none; up to 1 TiB.',
    ),
  }),
  create: ({ maxBytes }) => new BodyLimitFilter(maxBytes),
};

class BodyLimitFilter implements Filter {
  readonly name = 'bodyLimit';
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  onRequest({ bodyBytes }: FilterRequest): FilterAnswer | undefined {
    return bodyBytes !== undefined && bodyBytes > this.#maxBytes ? REFUSAL : undefined;
  }

  /** A length that was announced is one that the body keeps to: only the others are counted. */
  requestBody({ bodyBytes }: FilterRequest): BodyFilter | undefined {
    return bodyBytes === undefined ? new CountedBody(this.#maxBytes) : undefined;
  }
}

class CountedBody implements BodyFilter {
  readonly keepsLength = true;
  #leftBytes: number;

  constructor(maxBytes: number) {
    this.#leftBytes = maxBytes;
  }

  transform(chunk: Buffer): Buffer {
    this.#leftBytes -= chunk.length;
    if (this.#leftBytes < 0) throw new BodyRefusal(413, REASON);
    return chunk;
  }
}
