import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A process of the lab, with what it has said so far. */
export class LabProcess {
  readonly child: ChildProcess;
  #output = '';
  #errors = '';
  #answered = 0;
  readonly #looks = new Set<() => void>();

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      this.#output += String(chunk);
      this.#look();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#errors += String(chunk);
      this.#look();
    });
    child.on('exit', () => this.#look());
    // A process that is gone is noticed by its exit.
    child.stdin?.on('error', () => undefined);
  }

  get output(): string {
    return this.#output;
  }

  /** What it wrote to its log. */
  get errors(): string {
    return this.#errors;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /**
   * Resolves when log or output has the text.
   *
   * @param from where in the log to begin looking
   * @throws Error when the process ends first, or after 20 s
   */
  async said(text: string | RegExp, from = 0): Promise<void> {
    const isIn = (said: string): boolean =>
      typeof text === 'string' ? said.includes(text) : text.test(said);
    await this.#until(
      () => isIn(this.#errors.slice(from)) || isIn(this.#output),
      `saying ${String(text)}`,
    );
  }

  /** Sends a request as a line of JSON; answers come in the order of the requests. */
  async ask<T>(request: unknown): Promise<T> {
    const at = this.#answered;
    this.#answered += 1;
    this.child.stdin?.write(`${JSON.stringify(request)}\n`);
    // Its first line says that it is ready.
    const line = (): string | undefined => this.#output.split('\n').slice(1, -1)[at];
    await this.#until(() => line() !== undefined, `answering ${JSON.stringify(request)}`);
    return JSON.parse(line() ?? '') as T;
  }

  /** @returns the exit code, null after a signal that it did not handle */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (!this.hasEnded) {
      const exit = once(this.child, 'exit');
      this.child.kill(signal);
      await exit;
    }
    return this.child.exitCode;
  }

  async #until(isDone: () => boolean, what: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (why: string): void =>
      reject(
        new Error(
          `${why} without ${what}: ${this.#output.slice(-2_000)}${this.#errors.slice(-2_000)}`,
        ),
      );
    const look = (): void => {
      if (isDone()) resolve();
      else if (this.hasEnded) fail(`ended with ${this.child.exitCode ?? this.child.signalCode}`);
    };
    const timer = setTimeout(() => fail('20 s'), 20_000);
    this.#looks.add(look);
    look();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#looks.delete(look);
    }
  }

  #look(): void {
    for (const look of this.#looks) look();
  }
}
