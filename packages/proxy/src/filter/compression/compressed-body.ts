/** A body on its way through a compressor of zlib, which works in a thread of its own. */
import zlib from 'node:zlib';
import type { BodyFilter } from '../filter.ts';
import type { Coding } from './negotiate.ts';

type Compressor = zlib.Gzip | zlib.BrotliCompress | zlib.ZstdCompress;

const NOTHING = Buffer.alloc(0);

/** 256 KiB: of larger windows bodies of pages gain nothing, and each body that is under way pays for its window. */
const BROTLI_WINDOW_BITS = 18;

export interface CompressedBodyOptions {
  readonly coding: Coding;
  readonly level: number;
  /** Do bytes go out after each chunk? */
  readonly flushes: boolean;
  readonly onClose: () => void;
}

export class CompressedBody implements BodyFilter {
  readonly #compressor: Compressor;
  readonly #flushes: boolean;
  readonly #onClose: () => void;
  readonly #made: Buffer[] = [];
  #isClosed = false;
  /** Of the call that is waiting. */
  #reject: ((error: Error) => void) | undefined = undefined;

  constructor({ coding, level, flushes, onClose }: CompressedBodyOptions) {
    this.#flushes = flushes;
    this.#onClose = onClose;
    this.#compressor = compressorOf(coding, level);
    this.#compressor.on('data', (bytes: Buffer) => this.#made.push(bytes));
    this.#compressor.on('error', (error) => this.#reject?.(error));
  }

  transform(chunk: Buffer): Promise<Buffer> {
    return this.#waitFor((done) => {
      this.#compressor.write(chunk, (error) => {
        if (error != null) return;
        if (this.#flushes) this.#compressor.flush(flushKindOf(this.#compressor), done);
        else done();
      });
    });
  }

  flush(): Promise<Buffer> {
    return this.#waitFor((done) => {
      this.#compressor.once('end', done);
      this.#compressor.end();
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#compressor.destroy();
    this.#reject?.(new Error('the body broke off'));
    this.#onClose();
  }

  #waitFor(start: (done: () => void) => void): Promise<Buffer> {
    if (this.#isClosed) return Promise.resolve(NOTHING);
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      start(() => {
        // What was made and not told of yet: reading it emits `data`.
        while (this.#compressor.read() !== null);
        this.#reject = undefined;
        resolve(this.#take());
      });
    });
  }

  #take(): Buffer {
    const made = this.#made.splice(0);
    return made.length === 1 ? (made[0] as Buffer) : Buffer.concat(made);
  }
}

/** Codings that this version of Node has. */
export function hasCoding(coding: Coding): boolean {
  return coding !== 'zstd' || typeof zlib.createZstdCompress === 'function';
}

function compressorOf(coding: Coding, level: number): Compressor {
  const { constants } = zlib;
  switch (coding) {
    case 'gzip':
      return zlib.createGzip({ level });
    case 'br':
      return zlib.createBrotliCompress({
        params: {
          [constants.BROTLI_PARAM_QUALITY]: level,
          [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_BITS,
        },
      });
    case 'zstd':
      return zlib.createZstdCompress({
        params: { [constants.ZSTD_c_compressionLevel]: level },
      });
  }
}

function flushKindOf(compressor: Compressor): number {
  const { constants } = zlib;
  if (compressor instanceof zlib.Gzip) return constants.Z_SYNC_FLUSH;
  return compressor instanceof zlib.BrotliCompress
    ? constants.BROTLI_OPERATION_FLUSH
    : constants.ZSTD_e_flush;
}
