/** The client of the lab, as tests talk to it. */
import type { ClientRequest, Transferred, TransferRequest } from './client-traffic.ts';
import type { FlowReport } from './held-flows.ts';
import type { Lab } from './lab.ts';
import type { LabProcess } from './lab-process.ts';

export class Client {
  readonly #process: LabProcess;

  static async start(lab: Lab): Promise<Client> {
    const started = lab.spawnScript('client', 'client-process.ts');
    await started.said('ready');
    return new Client(started);
  }

  /** Use {@link Client.start}. */
  constructor(process: LabProcess) {
    this.#process = process;
  }

  /** Who answers new connections? */
  async names(host: string, count = 30): Promise<Set<string>> {
    return new Set(await this.#ask<string[]>({ do: 'names', host, count }));
  }

  /** Transfers at a time, six of 1.5 MB unless told otherwise. */
  transfer(request: Omit<TransferRequest, 'do' | 'bytes' | 'count'>): Promise<Transferred[]> {
    return this.#ask({ do: 'transfer', bytes: 1_500_000, count: 6, ...request });
  }

  /** Who answers datagrams of these sizes, each of another flow? */
  async datagrams(host: string, sizes: readonly number[]): Promise<Set<string>> {
    return new Set(await this.#ask<string[]>({ do: 'datagrams', host, sizes }));
  }

  /** Opens flows that go on until they are released. */
  async hold(
    name: string,
    host: string,
    count: { readonly connections: number; readonly datagrams?: number },
  ): Promise<FlowReport> {
    return this.#ask({ do: 'hold', name, host, datagrams: 0, ...count });
  }

  report(name: string): Promise<FlowReport> {
    return this.#ask({ do: 'report', name });
  }

  release(name: string): Promise<FlowReport> {
    return this.#ask({ do: 'release', name });
  }

  /** Resolves once every connection has had that many more echoes, or has failed. */
  async goOn(name: string, echoes = 5): Promise<FlowReport> {
    const before = await this.report(name);
    for (;;) {
      const now = await this.report(name);
      const isDone = now.connections.every(
        ({ echoed, failure }, index) =>
          failure !== undefined || echoed >= (before.connections[index]?.echoed ?? 0) + echoes,
      );
      if (isDone) return now;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #ask<T>(request: ClientRequest): Promise<T> {
    const answer = await this.#process.ask<T | { readonly error: string }>(request);
    if (typeof answer === 'object' && answer !== null && 'error' in answer) {
      throw new Error(`${JSON.stringify(request)}: ${answer.error}`);
    }
    return answer as T;
  }
}
