import { messageOf } from '../../../error/evenkeel-error.ts';
import { Outcome } from '../../../model/outcome.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import type { Timer } from '../../../runtime/scheduler.ts';
import { discoveryError } from '../../discovery-error.ts';
import type { HttpRequest, HttpStream } from '../../http/http-port.ts';
import { JsonLines } from './json-lines.ts';
import { type MemberCall, outcomeOfFailure } from './members.ts';
import { EtcdRefusal, refusalOf } from './refusal.ts';
import { decodeWatchMessage, type Header, type WatchMessage } from './wire.ts';

export interface WatchListener {
  onMessage(message: Exclude<WatchMessage, { kind: 'canceled' | 'created' }>): void;
  /** The last call, once: the watch was canceled, its connection broke, or nothing can be made of what came. */
  onEnd(error: Error): void;
}

/** A watch that a member has confirmed. */
export interface OpenWatch {
  readonly slot: number;
  /** Of the confirmation: how far the member is. */
  readonly header: Header;
  /** Ends it; the listener hears nothing more. Idempotent. */
  close(): void;
}

export interface OpenWatchOptions {
  readonly member: MemberCall;
  readonly request: HttpRequest;
  readonly runtime: Runtime;
  readonly listener: WatchListener;
}

const MAX_REFUSAL_BYTES = 4_096;

/** The revision to begin with has been compacted away: everything has to be read. */
export class CompactedError extends Error {
  constructor(compactRevision: bigint) {
    super(`the history up to revision ${compactRevision} has been compacted away`);
  }
}

/** Opens a watch at a member. Resolves with the confirmation; the time of the request covers that. */
export async function openWatch(options: OpenWatchOptions): Promise<OpenWatch> {
  const opening = new Opening(options);
  return opening.run();
}

class Opening {
  readonly #options: OpenWatchOptions;
  readonly #lines = new JsonLines();
  readonly #startMs: number;
  #settle: { resolve: (header: Header) => void; reject: (error: Error) => void } | undefined;
  #stream: HttpStream | undefined;
  #timer: Timer | undefined;
  #status = 200;
  /** Of an answer other than 200: its beginning. */
  #refusal = Buffer.alloc(0);
  #isConfirmed = false;
  #isOver = false;

  constructor(options: OpenWatchOptions) {
    this.#options = options;
    this.#startMs = options.runtime.clock.nowMs();
  }

  async run(): Promise<OpenWatch> {
    const { member, request, runtime } = this.#options;
    const { timeoutMs, signal } = request;
    const confirmed = new Promise<Header>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever fails first is heard; the other must not be an unhandled rejection.
    confirmed.catch(() => undefined);
    signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#timer = runtime.scheduler.after(timeoutMs, () =>
      this.#end(discoveryError(`the watch was not confirmed within ${timeoutMs} ms`)),
    );
    try {
      this.#stream = await member.http.open(request, {
        onHead: (status) => void (this.#status = status),
        onData: (chunk) => this.#onData(chunk),
        onEnd: (problem) =>
          this.#end(
            this.#status === 200 ? discoveryError(problem) : refusalOf(this.#status, this.#refusal),
          ),
      });
      if (this.#isOver) this.#stream.close();
    } catch (error) {
      this.#end(error as Error);
    }
    const header = await confirmed;
    return { slot: member.slot, header, close: () => this.#close(Outcome.success) };
  }

  readonly #onAbort = (): void => {
    const { runtime, request } = this.#options;
    // Who gives up just before our own limit does so because of the silence.
    const isLate = runtime.clock.nowMs() - this.#startMs >= request.timeoutMs / 2;
    const isSilent = !this.#isConfirmed && isLate;
    this.#close(isSilent ? Outcome.timeout : Outcome.cancelled);
    this.#settle?.reject(discoveryError('aborted'));
  };

  #onData(chunk: Buffer): void {
    if (this.#status !== 200) {
      const room = MAX_REFUSAL_BYTES - this.#refusal.length;
      this.#refusal = Buffer.concat([this.#refusal, chunk.subarray(0, room)]);
      return;
    }
    try {
      for (const raw of this.#lines.push(chunk)) {
        if (this.#isOver) return;
        this.#onMessage(decodeWatchMessage(raw));
      }
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #onMessage(message: WatchMessage): void {
    switch (message.kind) {
      case 'created':
        this.#isConfirmed = true;
        this.#timer?.cancel();
        this.#settle?.resolve(message.header);
        return;
      case 'canceled':
        this.#end(
          message.compactRevision === undefined
            ? EtcdRefusal.of(0, `the watch was canceled: ${message.reason}`)
            : new CompactedError(message.compactRevision),
        );
        return;
      case 'events':
      case 'progress':
        this.#options.listener.onMessage(message);
    }
  }

  #end(error: Error): void {
    if (this.#isOver) return;
    this.#close(outcomeOf(error));
    const told =
      error instanceof EtcdRefusal || error instanceof CompactedError
        ? error
        : discoveryError(`watch: ${messageOf(error)}`, error);
    if (this.#isConfirmed) this.#options.listener.onEnd(told);
    else this.#settle?.reject(told);
  }

  #close(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#options.request.signal.removeEventListener('abort', this.#onAbort);
    this.#stream?.close();
    this.#options.member.finish(outcome);
  }
}

function outcomeOf(error: Error): Outcome {
  if (error instanceof CompactedError) return Outcome.success;
  if (!(error instanceof EtcdRefusal)) return outcomeOfFailure(error);
  return error.isFault && !error.isTokenProblem && !/permission denied/i.test(error.message)
    ? Outcome.serverError
    : Outcome.success;
}
