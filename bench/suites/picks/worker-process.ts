import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Measurement, Timing } from './measurement.ts';
import type { WorkerReply, WorkerRequest } from './worker.ts';

/**
 * A child process for the measurements of one policy. V8 specialises call sites on the types that they have seen: in a
 * process of its own, a policy is measured as a program meets it that uses only this one.
 */
export class WorkerProcess {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, 'worker.ts'), {
    execArgv: [...process.execArgv, '--expose-gc'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });

  async prepare(figure: string, measurement: Measurement, timing: Timing): Promise<void> {
    await this.#ask({ kind: 'prepare', figure, measurement, timing });
  }

  /** One sample of a figure that was prepared. */
  async measure(figure: string): Promise<number> {
    const reply = await this.#ask({ kind: 'measure', figure });
    return reply.kind === 'sample' ? reply.value : Number.NaN;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }

  async #ask(request: WorkerRequest): Promise<WorkerReply> {
    const abort = new AbortController();
    const { signal } = abort;
    try {
      const replied = once(this.#child, 'message', { signal });
      const ended = once(this.#child, 'exit', { signal }).then(([code]) => {
        throw new Error(`the worker for ${request.figure} ended with ${code}`);
      });
      this.#child.send(request);
      const [reply] = (await Promise.race([replied, ended])) as [WorkerReply];
      if (reply.kind === 'failed') throw new Error(`${request.figure}: ${reply.message}`);
      return reply;
    } finally {
      abort.abort();
    }
  }
}
