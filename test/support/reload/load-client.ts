/** A client that asks one question after the other, or several at a time, and takes no answer for granted. */
import net from 'node:net';
import { clusterOf, type Question, requestText } from './message.ts';

/** Who gives the questions and takes the answers. */
export interface Examiner {
  /** Port for a new connection. */
  portFor(client: LoadClient): number;
  /** @returns undefined when all have been asked */
  next(): Question | undefined;
  /** @param askedAt what {@link now} was when the question went out */
  answered(question: Question, cluster: string | undefined, askedAt: number): void;
  /** There is no answer, or it is no success. */
  failed(question: Question, reason: string): void;
  /** Was not answered by a connection that ended as it said it would: it is asked again. */
  askedAgain(): void;
  /** @param port where it is asked */
  now(port: number): number;
}

interface Asked {
  readonly question: Question;
  readonly askedAt: number;
}

export interface LoadClientOptions {
  /** Questions at a time on one connection. */
  readonly depth: number;
  /** Does it use listeners that come and go? */
  readonly roams: boolean;
}

export class LoadClient {
  readonly options: LoadClientOptions;
  readonly #examiner: Examiner;
  readonly #open: Asked[] = [];
  #again: Question[] = [];
  #socket: net.Socket | undefined = undefined;
  #port = 0;
  #held = '';
  /** Has the last answer said that it is the last one? */
  #isLast = false;
  #onDone: (() => void) | undefined = undefined;

  constructor(examiner: Examiner, options: LoadClientOptions) {
    this.#examiner = examiner;
    this.options = options;
  }

  /** @returns once there is nothing more to ask */
  run(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDone = resolve;
      this.#connect();
    });
  }

  #connect(): void {
    this.#held = '';
    this.#isLast = false;
    this.#port = this.#examiner.portFor(this);
    const socket = net.connect(this.#port, '127.0.0.1');
    this.#socket = socket;
    socket.setNoDelay(true);
    let reason = 'closed';
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('error', ({ message }) => (reason = message));
    socket.on('close', () => this.#closed(socket, reason));
    this.#ask();
  }

  #ask(): void {
    let text = '';
    while (!this.#isLast && this.#open.length < this.options.depth) {
      const question = this.#again.shift() ?? this.#examiner.next();
      if (question === undefined) break;
      this.#open.push({ question, askedAt: this.#examiner.now(this.#port) });
      text += requestText(question);
    }
    if (text !== '') this.#socket?.write(text, 'latin1');
    else if (this.#open.length === 0) this.#socket?.end();
  }

  #take(bytes: Buffer): void {
    this.#held += bytes.toString('latin1');
    let count = 0;
    while (this.#takeOne()) count++;
    if (count > 0) this.#ask();
  }

  /** @returns false when an answer is not complete */
  #takeOne(): boolean {
    const end = this.#held.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const head = this.#held.slice(0, end).toLowerCase();
    const length = /\r\ncontent-length: (\d+)/.exec(head);
    const body = length === null ? this.#chunks(end + 4) : this.#fixed(end + 4, Number(length[1]));
    if (body === undefined) return false;
    this.#held = this.#held.slice(body.end);
    if (head.includes('\r\nconnection: close')) this.#isLast = true;
    const asked = this.#open.shift();
    if (asked === undefined) throw new Error(`nobody asked for ${head}`);
    const { question, askedAt } = asked;
    const status = head.slice(9, 12);
    if (status !== '200') this.#examiner.failed(question, status);
    else this.#examiner.answered(question, clusterOf(question, body.text), askedAt);
    return true;
  }

  #fixed(from: number, length: number): { text: string; end: number } | undefined {
    const end = from + length;
    return this.#held.length < end ? undefined : { text: this.#held.slice(from, end), end };
  }

  #chunks(from: number): { text: string; end: number } | undefined {
    let text = '';
    let at = from;
    for (;;) {
      const lineEnd = this.#held.indexOf('\r\n', at);
      if (lineEnd < 0) return undefined;
      const size = Number.parseInt(this.#held.slice(at, lineEnd), 16);
      const end = lineEnd + 2 + size + 2;
      if (this.#held.length < end) return undefined;
      if (size === 0) return { text, end };
      text += this.#held.slice(lineEnd + 2, end - 2);
      at = end;
    }
  }

  #closed(socket: net.Socket, reason: string): void {
    if (socket !== this.#socket) return;
    for (const { question } of this.#open.splice(0)) {
      if (this.#isLast) {
        this.#examiner.askedAgain();
        this.#again.push(question);
      } else this.#examiner.failed(question, reason);
    }
    const first = this.#again.length > 0 ? undefined : this.#examiner.next();
    if (first !== undefined) this.#again.push(first);
    if (this.#again.length > 0) this.#connect();
    else this.#onDone?.();
  }
}
