/** Flows that go on while things happen to a gateway, and what became of them. */
import { once } from 'node:events';
import { type EdgeLab, type LabProcess, VIP } from './edge-lab.ts';

export interface Told {
  readonly connections: readonly {
    real: string;
    sent: number;
    echoed: number;
    failure?: string;
  }[];
  readonly datagrams: readonly { sent: number; received: number; reals: string[] }[];
}

/** Flows that go on while things happen to the gateway. */
export async function keepFlows(
  lab: EdgeLab,
  connections: number,
  datagrams: number,
): Promise<LabProcess> {
  const client = lab.spawnNode(
    'client',
    'edge-client.ts',
    VIP,
    String(connections),
    String(datagrams),
  );
  await client.said('ready');
  return client;
}

export async function tell(client: LabProcess, word = 'now'): Promise<Told> {
  const lines = client.output.split('\n').length;
  client.child.stdin?.write(`${word}\n`);
  while (client.output.split('\n').length <= lines) await once(client.child.stdout!, 'data');
  return JSON.parse(client.output.trim().split('\n').at(-1)!) as Told;
}

/** Resolves once every connection has had that many more echoes. */
export async function goOn(client: LabProcess, echoes = 5): Promise<Told> {
  const before = await tell(client);
  for (;;) {
    const now = await tell(client);
    const isDone = now.connections.every(
      ({ echoed, failure }, index) =>
        failure !== undefined || echoed >= (before.connections[index]?.echoed ?? 0) + echoes,
    );
    if (isDone) return now;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const failures = ({ connections }: Told): string[] =>
  connections.flatMap(({ failure, real }) =>
    failure === undefined ? [] : [`${real}: ${failure}`],
  );
