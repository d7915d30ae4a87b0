import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

export interface ChildOptions {
  /** Further arguments for Node, such as `--expose-gc`. */
  readonly execArgv?: readonly string[];
  /** A program that starts Node, and its arguments: `['unshare', '-n']` for a network of its own. */
  readonly prefix?: readonly [string, ...string[]];
  /** Open files that it gets, as its descriptors from 4 on. */
  readonly descriptors?: readonly number[];
}

/** A process of a suite: one request at a time goes in, one reply comes out. */
export class Child<Request extends object, Reply> {
  readonly #child: ChildProcess;

  constructor(file: string, options: ChildOptions = {}) {
    const { execArgv = [], prefix = [], descriptors = [] } = options;
    const [execPath = process.execPath, ...before] = [...prefix, process.execPath];
    this.#child = fork(file, {
      execPath,
      execArgv: [...before, ...process.execArgv, ...execArgv],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc', ...descriptors],
    });
  }

  async ask(request: Request): Promise<Reply> {
    const abort = new AbortController();
    const { signal } = abort;
    try {
      const replied = once(this.#child, 'message', { signal });
      const ended = once(this.#child, 'exit', { signal }).then(([code]) => {
        throw new Error(`a process of the suite ended with ${code}`);
      });
      ended.catch(() => undefined);
      this.#child.send(request);
      const [reply] = (await Promise.race([replied, ended])) as [Reply | { failed: string }];
      if (typeof reply === 'object' && reply !== null && 'failed' in reply) {
        throw new Error(reply.failed);
      }
      return reply as Reply;
    } finally {
      abort.abort();
    }
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }
}

/** The other side: answers every request of the parent. */
export function serve<Request, Reply>(answer: (request: Request) => Promise<Reply>): void {
  process.on('message', (request: Request) => {
    answer(request).then(
      (reply) => process.send?.(reply),
      (error: unknown) =>
        process.send?.({ failed: String(error instanceof Error ? error.stack : error) }),
    );
  });
  process.on('disconnect', () => process.exit());
}
