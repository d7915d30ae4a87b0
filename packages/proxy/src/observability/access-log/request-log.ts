import type { Runtime } from '@evenkeel/core';
import type { RouteRequest } from '../../engine/route.ts';
import { formatIsoTime } from '../../runtime/iso-time.ts';
import type { AccessEntry, AccessLog, AccessResult } from '../access-log.ts';
import { descriptorWriter } from './descriptor-writer.ts';
import { LineBatcher, type WriteLines } from './line-batcher.ts';
import type { LineFormat } from './line-format.ts';

export interface RequestLogOptions {
  readonly format: LineFormat;
  /** 0..1. */
  readonly sampleRatio: number;
  /** Default: standard output. */
  readonly write: WriteLines | undefined;
  readonly maxBufferedCharacters: number;
}

const STDOUT = 1;

export class RequestLog implements AccessLog {
  readonly #format: LineFormat;
  readonly #runtime: Runtime;
  readonly #batcher: LineBatcher;
  /** A draw of 32 bits below this is in the sample. */
  readonly #sampledBelow: number;
  #timeMs = Number.NaN;
  #timeText = '';

  constructor(options: RequestLogOptions, runtime: Runtime) {
    const { scheduler } = runtime;
    this.#format = options.format;
    this.#runtime = runtime;
    this.#sampledBelow = options.sampleRatio * 2 ** 32;
    this.#batcher = new LineBatcher({
      scheduler,
      write: options.write ?? descriptorWriter(STDOUT, scheduler),
      maxCharacters: options.maxBufferedCharacters,
    });
  }

  get droppedCount(): number {
    return this.#batcher.droppedCount;
  }

  begin(request: RouteRequest | undefined, client: string): AccessEntry | undefined {
    if (
      this.#sampledBelow < 2 ** 32 &&
      this.#runtime.random.nextInt32() >>> 0 >= this.#sampledBelow
    )
      return undefined;
    return { client, taken: this.#format.take(request) };
  }

  end(entry: AccessEntry, result: AccessResult): void {
    this.#batcher.add(this.#format.line(entry, result, this.#time()));
  }

  /** Under load several requests end in one millisecond. */
  #time(): string {
    const wallMs = this.#runtime.clock.wallMs();
    if (wallMs !== this.#timeMs) {
      this.#timeMs = wallMs;
      this.#timeText = formatIsoTime(wallMs);
    }
    return this.#timeText;
  }

  /** @returns once everything has been written, or the time is over */
  close(limitMs: number): Promise<void> {
    return this.#batcher.close(limitMs);
  }
}
