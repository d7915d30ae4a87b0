/** Three real Consul servers on loopback that elect a leader among themselves. */
import { ConsulAgent } from './consul-agent.ts';
import { freePorts } from './free-ports.ts';

const SIZE = 3;
const PORTS_EACH = 4;
const LIMIT_MS = 20_000;

export class ConsulCluster {
  readonly servers: readonly ConsulAgent[];

  private constructor(servers: readonly ConsulAgent[]) {
    this.servers = servers;
  }

  static async start(command: string): Promise<ConsulCluster> {
    const ports = await freePorts(SIZE * PORTS_EACH);
    const portsOf = (index: number): number[] =>
      ports.slice(index * PORTS_EACH, (index + 1) * PORTS_EACH);
    const joinLan = Array.from({ length: SIZE }, (_, index) => portsOf(index)[1] ?? 0);
    const started = await Promise.allSettled(
      joinLan.map((_, index) => {
        const member = { name: `node-${index + 1}`, size: SIZE, ports: portsOf(index), joinLan };
        return ConsulAgent.start(command, { member });
      }),
    );
    const cluster = new ConsulCluster(
      started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
    );
    const failure = started.find((result) => result.status === 'rejected');
    if (failure === undefined) return cluster;
    await cluster.dispose();
    throw failure.reason;
  }

  /** Who leads, as `asked` sees it; waits for there to be one that is not `former`. */
  async leader(asked: ConsulAgent, former?: ConsulAgent): Promise<ConsulAgent> {
    const endMs = performance.now() + LIMIT_MS;
    while (performance.now() < endMs) {
      const address = await asked.get('/v1/status/leader').catch(() => '');
      const leader = this.servers.find(({ serverAddress }) => serverAddress === address);
      if (leader !== undefined && leader !== former) return leader;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('the servers do not elect a leader');
  }

  async dispose(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.dispose()));
  }
}
