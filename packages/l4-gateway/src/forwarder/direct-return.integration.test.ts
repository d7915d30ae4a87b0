/** Real connections through the attached program, in namespaces: client, router, gateway, two reals. */
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { PacketCounts } from '../index.ts';
import { REALS, Topology, VIP } from './test-support/topology.ts';

const required = [requireComponent('bpf'), requireComponent('ip')];
const isMissing = required.some(({ path }) => path === undefined);

interface Told {
  readonly packets: Record<keyof PacketCounts, number>;
  readonly vips: readonly {
    packets: number;
    reals: readonly { address: string; packets: number }[];
  }[];
}

describe.skipIf(isMissing)('direct server return', () => {
  const topology = new Topology();
  let gateway: ChildProcess;

  beforeAll(async () => {
    gateway = await topology.start();
  });
  afterAll(() => topology.close());

  const ask = (what: string, count: number): string =>
    topology.node('client', 'client-process.ts', VIP, what, String(count));
  const tell = async (...reals: string[]): Promise<Told> => {
    gateway.stdin!.write(`${reals.join(' ')}\n`);
    const [line] = (await once(gateway.stdout!, 'data')) as [Buffer];
    return JSON.parse(line.toString()) as Told;
  };

  it('spreads connections over the reals, which answer as the VIP', () => {
    expect(new Set(ask('names', 24).split('\n'))).toEqual(new Set(['real1', 'real2']));
  });

  it('carries downloads and uploads unharmed', () => {
    const hash = createHash('sha256').update(Buffer.alloc(2_000_000, 'evenkeel')).digest('hex');
    expect(ask('download', 2_000_000)).toBe(hash);
    expect(ask('upload', 2_000_000)).toBe(hash);
  });

  it('counts what it forwards, and drops nothing', async () => {
    const { packets, vips } = await tell();
    expect(vips[0]!.packets).toBeGreaterThan(1_000);
    expect(vips[0]!.reals.map(({ address }) => address)).toEqual([...REALS]);
    expect(packets.newFlow).toBeGreaterThanOrEqual(26);
    const { newFlow, passedNoVip, ...dropped } = packets;
    expect([newFlow, passedNoVip].every((count) => count >= 0)).toBe(true);
    expect(Object.values(dropped).every((count) => count === 0)).toBe(true);
  });

  it('takes a real out while it runs', async () => {
    await tell(REALS[1]);
    expect(new Set(ask('names', 12).split('\n'))).toEqual(new Set(['real2']));
  });
});
