/**
 * A flood of SYNs, from a machine of its own, while real connections work: those that are open, whether the gateways still
 * remember them or not, and new ones.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../support/require-component.ts';
import { Client } from './support/client.ts';
import { Gateways } from './support/gateways.ts';
import { GATEWAYS, Lab, realAddress, REALS, SPOOFED, vip } from './support/lab.ts';

const isMissing = ['bpf', 'ip'].some((name) => requireComponent(name).path === undefined);

const VIP = vip(4);
/** Many times what a gateway remembers here. */
const FLOOD = 60_000;
const REMEMBERED = 4_096;
const PER_SECOND = 30_000;
const CONNECTIONS = 24;
/** New flows that a source may open, each second on each CPU of each gateway. */
const LIMIT = { perSecond: 200, burst: 400 };

describe.skipIf(isMissing)('a flood of SYNs', () => {
  const lab = new Lab();
  const gateways = new Gateways(lab);
  let client: Client;

  const configure = (rules = ''): void => {
    gateways.configure(
      () => `flowsPerCpu: ${REMEMBERED}
guard: { everyPacket: false${rules} }
vips:
  - { address: ${VIP}, port: 80, cluster: web }
  - { address: ${VIP}, port: 7, cluster: web }
clusters:
  web:
    discovery: [${REALS.map((name) => `"${realAddress(4, name)}:80"`).join(', ')}]
    health: { tcp: { interval: 500ms, timeout: 2s, fall: 3 } }
`,
    );
  };
  /** Sends a flood, with new connections all the while. */
  const flood = async (source: string): Promise<void> => {
    const attack = [VIP, '80', String(FLOOD), String(PER_SECOND), source];
    const attacker = lab.spawnScript('attacker', 'flood-process.ts', ...attack);
    await attacker.said('ready');
    while (!attacker.hasEnded) {
      expect((await client.names(VIP, 4)).size).toBeGreaterThan(0);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(attacker.output).toBe(`ready\n${FLOOD}\n`);
  };

  beforeAll(async () => {
    await lab.lay();
    await Promise.all(
      REALS.map(async (name) => {
        const state = ['--state', join(lab.folder, name)];
        const options = ['--vip', VIP, '--interface', 'eth0', ...state];
        await lab.spawnCommand(name, 'real', ...options).said('ready: taking headers off');
      }),
    );
    configure();
    const started = [Client.start(lab), lab.startServers(), gateways.start()] as const;
    [client] = await Promise.all(started);
  });
  afterAll(() => lab.close());

  it('does not touch connections, takes no memory, and is counted', async () => {
    const count = { connections: CONNECTIONS };
    await client.hold('held', VIP, count);
    const before = await client.goOn('held');
    expect(new Set(before.connections.map(({ real }) => real))).toEqual(new Set(REALS));
    const [{ newFlow }, statuses] = [await gateways.counts(), await gateways.statuses()];
    await flood(SPOOFED.split('.').slice(0, 2).join('.'));
    await client.goOn('held');
    const after = await client.release('held');
    expect(after.connections.filter(({ failure }) => failure !== undefined)).toEqual([]);
    expect(after.connections.map(({ real }) => real)).toEqual(
      before.connections.map(({ real }) => real),
    );
    const counts = await gateways.counts();
    // Queues of virtual wires may overflow on a busy machine; most of it came through.
    expect(Number(counts['newFlow']) - Number(newFlow)).toBeGreaterThan(FLOOD / 2);
    for (const [index, status] of (await gateways.statuses()).entries()) {
      expect(status.tableBytes).toBe(statuses[index]!.tableBytes);
      // Both got their part of it, far more than they remember.
      expect(status.packets['newFlow']).toBeGreaterThan(2 * REMEMBERED);
    }
  });

  it('from one source ends at the gateways once they are told a limit, which others do not feel', async () => {
    const { perSecond, burst } = LIMIT;
    const rule = `, perSource: { newFlows: { perSecond: ${perSecond}, burst: ${burst} } }`;
    await gateways.applied(() => configure(rule));
    await client.hold('held', VIP, { connections: CONNECTIONS });
    const before = await gateways.counts();
    const begun = performance.now();
    await flood('10.66.1.1');
    const seconds = (performance.now() - begun) / 1_000;
    await client.goOn('held');
    const { connections } = await client.release('held');
    expect(connections.filter(({ failure }) => failure !== undefined)).toEqual([]);
    const after = await gateways.counts();
    const grown = (name: string): number => Number(after[name]) - Number(before[name]);
    expect(grown('sourceFlowsLimited')).toBeGreaterThan(FLOOD / 2);
    // The attacker is on one CPU; the client's connections are the rest of what was let in.
    const most = GATEWAYS.length * (burst + perSecond * (seconds + 1));
    expect(grown('newFlow') - grown('sourceFlowsLimited')).toBeLessThan(most + 5_000);
  });
});
