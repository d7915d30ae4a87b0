import type { ClientRequest, IncomingMessage } from 'node:http';
import { MAX_ANSWER_BYTES } from '../load-report/probe-answer.ts';
import type { ProbeFailure } from '../policy/probing.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Timer } from '../runtime/scheduler.ts';

/**
 * A deadline that fires this late was held up by this process, and the answer may lie unread in the socket: endpoints
 * would be blamed all at once for a pause of ours. It is extended once.
 */
const LATE_MS = 20;

export interface ProbeAttemptOptions {
  readonly runtime: Runtime;
  readonly timeoutMs: number;
  /** The body of an answer 200. */
  readonly onAnswer: (text: string) => void;
  readonly onFailure: (failure: ProbeFailure) => void;
}

/** One probe: ends once, by an answer, an error or its deadline, and lets go of its connection then. */
export class ProbeAttempt {
  readonly #options: ProbeAttemptOptions;
  #request: ClientRequest | undefined = undefined;
  #timer: Timer | undefined = undefined;
  #dueMs = 0;
  #extended = false;
  #settled = false;

  constructor(options: ProbeAttemptOptions) {
    this.#options = options;
  }

  run(open: () => ClientRequest): void {
    const { runtime, timeoutMs } = this.#options;
    this.#dueMs = runtime.clock.nowMs() + timeoutMs;
    this.#timer = runtime.scheduler.after(timeoutMs, () => this.#expire());
    try {
      this.#send(open);
    } catch {
      // An address or a name that Node refuses. Nobody hears of a probe while it is being sent.
      runtime.scheduler.soon(() => this.#fail('unreachable'));
    }
  }

  /** Ends it without a word. */
  cancel(): void {
    if (this.#settle()) this.#request?.destroy();
  }

  #send(open: () => ClientRequest): void {
    const request = open();
    this.#request = request;
    let answered = false;
    // An agent makes a kept socket hold the process when it hands it out.
    request.on('socket', (socket) => socket.unref());
    request.on('response', (response) => {
      answered = true;
      this.#read(response);
    });
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      this.#fail('not-understood');
    });
    // Stays for good: an error after the end must not become an uncaught one.
    request.on('error', () => {
      // The endpoint may close an idle connection in the moment it is used again: no fault of either side.
      if (request.reusedSocket && !answered && !this.#settled) this.#send(open);
      else this.#fail('unreachable');
    });
    request.end();
  }

  #read(response: IncomingMessage): void {
    response.on('error', () => this.#fail('unreachable'));
    if (response.statusCode !== 200) {
      // Its body may be of any length. Not read it would hold the connection, so that goes with it.
      this.#request?.destroy();
      // A gateway that says so knows that nobody is there.
      this.#fail((response.statusCode ?? 0) >= 500 ? 'unreachable' : 'not-understood');
      return;
    }
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text += chunk;
      if (text.length <= MAX_ANSWER_BYTES) return;
      this.#request?.destroy();
      this.#fail('not-understood');
    });
    response.on('end', () => {
      if (this.#settle()) this.#options.onAnswer(text);
    });
  }

  #expire(): void {
    const { runtime, timeoutMs } = this.#options;
    const lateMs = runtime.clock.nowMs() - this.#dueMs;
    if (lateMs >= LATE_MS && !this.#extended) {
      this.#extended = true;
      this.#timer = runtime.scheduler.after(Math.min(lateMs, timeoutMs), () => this.#expire());
      return;
    }
    this.#request?.destroy();
    this.#fail('unreachable');
  }

  #fail(failure: ProbeFailure): void {
    if (this.#settle()) this.#options.onFailure(failure);
  }

  /** @returns whether this is the end: later ones are none */
  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#timer?.cancel();
    return true;
  }
}
