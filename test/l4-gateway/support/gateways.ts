/** The two gateways of a lab, each a process of `evenkeel-gateway run` with a file of its own. */
import { request } from 'node:http';
import { GATEWAYS, type GatewayName, type Lab } from './lab.ts';
import type { LabProcess } from './lab-process.ts';

/** What `/status` says that tests look at. */
export interface Status {
  readonly adopted: boolean;
  readonly ready: boolean;
  readonly mtu: number;
  readonly tableBytes: number;
  readonly packets: Readonly<Record<string, number>>;
  readonly vips: readonly {
    readonly name: string;
    readonly packets: number;
    readonly reals: readonly {
      readonly address: string;
      readonly role: string;
      readonly weight: number;
      readonly packets: number;
    }[];
  }[];
}

export class Gateways {
  readonly #lab: Lab;
  readonly #running = new Map<GatewayName, LabProcess>();

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** Writes the files of both: what `textFor` says, and name and interface. */
  configure(textFor: (name: GatewayName) => string): void {
    for (const name of GATEWAYS) {
      const head = `name: ${this.#lab.gatewayName(name)}\ninterface: eth0\nmode: native\n`;
      this.#lab.write(`${name}.yaml`, head + textFor(name));
    }
  }

  /** Starts some, all of them unless told otherwise; resolves when every VIP has a real. */
  async start(...names: readonly GatewayName[]): Promise<void> {
    await Promise.all(
      (names.length === 0 ? GATEWAYS : names).map(async (name) => {
        const config = `${this.#lab.folder}/${name}.yaml`;
        const started = this.#lab.spawnCommand(name, 'run', '--config', config);
        this.#running.set(name, started);
        await started.said('ready: every VIP has a real');
      }),
    );
  }

  async end(name: GatewayName, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    return (await this.#running.get(name)?.end(signal)) ?? null;
  }

  /** Makes a change and resolves when both have taken the file that it has changed. */
  async applied(change: () => void): Promise<void> {
    const from = Array.from(this.#running.values(), ({ errors }) => errors.length);
    change();
    await Promise.all(
      Array.from(this.#running.values(), (one, index) =>
        one.said('configuration applied', from[index]),
      ),
    );
  }

  status(name: GatewayName): Promise<Status> {
    const { promise, resolve, reject } = Promise.withResolvers<Status>();
    const socketPath = `/run/evenkeel/${this.#lab.gatewayName(name)}.sock`;
    const asked = request(
      { socketPath, path: '/status', timeout: 5_000, agent: false },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += String(chunk)));
        response.on('end', () => resolve(JSON.parse(body) as Status));
      },
    );
    asked.on('timeout', () => asked.destroy(new Error('no status in 5 s')));
    asked.on('error', reject);
    asked.end();
    return promise;
  }

  /** Of both; a gateway that does not run is left out. */
  async statuses(): Promise<Status[]> {
    const names = GATEWAYS.filter((name) => this.#running.get(name)?.hasEnded === false);
    return Promise.all(names.map((name) => this.status(name)));
  }

  /** Resolves when all that run say so, or fails after 20 s. */
  async until(what: string, isSo: (status: Status) => boolean): Promise<void> {
    for (let turn = 0; turn < 400; turn += 1) {
      if ((await this.statuses()).every(isSo)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`never ${what}: ${JSON.stringify(await this.statuses())}`);
  }

  /** The role of a real at every VIP of an address, of all that run. */
  async untilRole(vip: string, address: string, role: string): Promise<void> {
    await this.until(`${address} ${role}`, ({ vips }) =>
      vips
        .filter(({ name }) => name.startsWith(`${vip}:`) || name.startsWith(`[${vip}]:`))
        .every(({ reals }) => reals.some((real) => real.address === address && real.role === role)),
    );
  }

  /** Packets by what became of them, of all that run. */
  async counts(): Promise<Readonly<Record<string, number>>> {
    const sums: Record<string, number> = {};
    for (const { packets } of await this.statuses()) {
      for (const [name, count] of Object.entries(packets)) sums[name] = (sums[name] ?? 0) + count;
    }
    return sums;
  }
}
