import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Behaviour, ServerReady } from './sample-server.ts';

const PROGRAM = fileURLToPath(new URL('sample-server.ts', import.meta.url));

/** A running sample server. */
export class SampleServer {
  readonly name: string;
  readonly port: number;
  readonly #child: ChildProcess;

  constructor(name: string, port: number, child: ChildProcess) {
    this.name = name;
    this.port = port;
    this.#child = child;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  behave(behaviour: Behaviour): void {
    if (this.alive) this.#child.send(behaviour);
  }

  /** Kills the process as a crash would: no goodbye, connections break. */
  async kill(): Promise<void> {
    if (!this.alive) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** The sample servers of the demo, by name. */
export class Fleet {
  readonly #servers = new Map<string, SampleServer>();

  /** Starts a server, in the place of a dead one of the same name if there is one. */
  async start(name: string): Promise<SampleServer> {
    const child = fork(PROGRAM, [name], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const failed = once(child, 'exit').then(([code]) => {
      throw new Error(
        `the sample server ${name} ended with code ${String(code)} before it was ready`,
      );
    });
    const [ready] = (await Promise.race([once(child, 'message'), failed])) as [ServerReady];
    failed.catch(() => undefined); // Later ends are expected.
    const server = new SampleServer(name, ready.port, child);
    this.#servers.set(name, server);
    return server;
  }

  /** @throws Error for a name that was never started */
  get(name: string): SampleServer {
    const server = this.#servers.get(name);
    if (server === undefined) throw new Error(`no sample server ${name}`);
    return server;
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#servers.values(), (server) => server.kill()));
  }
}
