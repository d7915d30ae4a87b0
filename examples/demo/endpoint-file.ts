import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SampleServer } from './fleet.ts';

/** The file that discovery watches. An operator or a deployment tool would write it. */
export class EndpointFile {
  readonly path: string;
  #servers: readonly SampleServer[] = [];

  constructor(folder: string) {
    this.path = join(folder, 'shop.yaml');
  }

  /** Names of the servers listed. */
  get names(): readonly string[] {
    return this.#servers.map(({ name }) => name);
  }

  add(...servers: readonly SampleServer[]): Promise<void> {
    const names = new Set(servers.map(({ name }) => name));
    return this.#write([...this.#servers.filter(({ name }) => !names.has(name)), ...servers]);
  }

  remove(name: string): Promise<void> {
    return this.#write(this.#servers.filter((server) => server.name !== name));
  }

  /** Beside the file first, then in its place in one step: a reader never sees half a list. */
  async #write(servers: readonly SampleServer[]): Promise<void> {
    this.#servers = servers;
    const lines = servers.map(
      ({ name, port }) => `  - { id: ${name}, host: 127.0.0.1, port: ${port} }\n`,
    );
    await writeFile(`${this.path}.new`, `endpoints:\n${lines.join('')}`);
    await rename(`${this.path}.new`, this.path);
  }
}
