/** Every way of forwarding, end to end: real connections in namespaces, both families, content checked. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { PacketCounts } from '../forwarder/statistics.ts';
import type { GatewayPlan } from './test-support/gateway-process.ts';
import {
  Lab,
  type LabProcess,
  NAT_SOURCES,
  REAL_NAMES,
  REALS,
  ROUTER_MAC,
  VIPS,
} from './test-support/lab.ts';

const isMissing = [requireComponent('bpf'), requireComponent('ip')].some(
  ({ path }) => path === undefined,
);
const BYTES = 2_000_000;
const HASH = createHash('sha256').update(Buffer.alloc(BYTES, 'evenkeel')).digest('hex');
const FAMILIES = [4, 6] as const;
const REAL_PORT = '8080';
const MODES = ['gue', 'gre', 'l2', 'nat'] as const;
type Mode = (typeof MODES)[number];

/** VIPs of both families; the tunnels go to one real by IPv4 and to the other by IPv6. */
function planFor(mode: Mode, lab: Lab): GatewayPlan {
  const nat = { addresses: Object.values(NAT_SOURCES), ports: [20_000, 20_999] } as const;
  return {
    options: { nextHop: ROUTER_MAC, mtu: 1_600, ...(mode === 'nat' ? { nat } : {}) },
    vips: FAMILIES.flatMap((family) =>
      (['tcp', 'udp'] as const).map((protocol) => ({
        vip: { address: VIPS[family], port: 80, protocol },
        options: { forward: mode },
        reals: REAL_NAMES.map((name, index) => ({
          address: REALS[mode === 'nat' ? family : FAMILIES[index]!][index]!,
          ...(mode === 'l2' ? { nextHop: lab.macOf(name) } : {}),
          ...(mode === 'nat' ? { port: Number(REAL_PORT) } : {}),
        })),
      })),
    ),
  };
}

describe.skipIf(isMissing).each(MODES)('forward: %s', (mode) => {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-modes-'));
  let lab: Lab;
  let gateway: LabProcess;

  beforeAll(async () => {
    lab = new Lab({ isFlat: mode === 'l2' });
    await lab.start('router', ['forwarder', 'attach-process.ts'], 'gateway', 'pass');
    const plan = JSON.stringify(planFor(mode, lab));
    gateway = await lab.start('gateway', ['real', 'gateway-process.ts'], plan);
    for (const [index, name] of REAL_NAMES.entries()) {
      const own = FAMILIES.map((family) => REALS[family][index]!);
      const port = mode === 'nat' ? REAL_PORT : '80';
      if (mode !== 'nat') {
        const vips = Object.values(VIPS).join(',');
        const args = ['--vip', vips, '--interface', 'eth0', '--state', join(folder, name)];
        await lab.start(name, ['real', 'real-process.ts'], ...args);
      }
      for (const address of mode === 'nat' ? own : Object.values(VIPS)) {
        await lab.start(name, ['real', 'server-process.ts'], address, port, name);
      }
    }
  });
  afterAll(async () => {
    await lab.close();
    rmSync(folder, { recursive: true });
  });
  const ask = (family: 4 | 6, what: string, count: number): string =>
    lab.node('client', ['real', 'client-process.ts'], VIPS[family], '80', what, String(count));

  it.each(FAMILIES)('spreads IPv%i connections over the reals', (family) => {
    expect(new Set(ask(family, 'names', 24).split('\n'))).toEqual(new Set(REAL_NAMES));
  });

  it.each(FAMILIES)('carries IPv%i downloads and uploads unharmed', (family) => {
    for (let turn = 0; turn < 4; turn += 1) {
      expect(ask(family, 'download', BYTES)).toBe(HASH);
      expect(ask(family, 'upload', BYTES)).toBe(HASH);
    }
  });

  it.each(FAMILIES)('carries IPv%i datagrams, there and back', (family) => {
    for (const bytes of [0, 1, 999, 1_400]) expect(REAL_NAMES).toContain(ask(family, 'udp', bytes));
  });

  it.each(FAMILIES)('shows the real who asks: IPv%i', (family) => {
    const client = { 4: '10.1.0.2', 6: 'fd00:1::2' } as const;
    expect(ask(family, 'peer', 1)).toBe((mode === 'nat' ? NAT_SOURCES : client)[family]);
  });

  it('drops nothing', async () => {
    const { packets } = await gateway.ask<{ packets: Record<keyof PacketCounts, number> }>({});
    const { newFlow, passedNoVip, natOpened, natReturned, ...others } = packets;
    expect(newFlow).toBeGreaterThan(60);
    expect(passedNoVip).toBeGreaterThanOrEqual(0);
    if (mode === 'nat') {
      expect(natOpened).toBeGreaterThan(60);
      expect(natReturned).toBeGreaterThan(1_000);
    }
    expect(Object.entries(others).filter(([, count]) => count > 0)).toEqual([]);
  });
});

describe.skipIf(isMissing)('NAT while connections are open', () => {
  it('tells a client whose real is gone that its connection has ended', async () => {
    const lab = new Lab();
    try {
      await lab.start('router', ['forwarder', 'attach-process.ts'], 'gateway', 'pass');
      const plan = JSON.stringify(planFor('nat', lab));
      const gateway = await lab.start('gateway', ['real', 'gateway-process.ts'], plan);
      for (const [index, name] of REAL_NAMES.entries()) {
        const own = REALS[4][index]!;
        await lab.start(name, ['real', 'server-process.ts'], own, REAL_PORT, name);
      }
      const file = ['real', 'held-connection-process.ts'] as const;
      const held = await lab.start('client', file, VIPS[4], '80');
      const first = await held.ask<string>('name');
      expect(REAL_NAMES).toContain(first);
      const vip = { address: VIPS[4], port: 80, protocol: 'tcp' } as const;
      const left = REAL_NAMES[first === 'real1' ? 1 : 0];
      const reals = [{ address: REALS[4][first === 'real1' ? 1 : 0], port: Number(REAL_PORT) }];
      await gateway.ask({ update: { vip, reals } });
      expect(await held.ask<string>('name')).toBe('ECONNRESET');
      // And the next connection goes to the one that is left.
      expect(await held.ask<string>('name')).toBe(left);
    } finally {
      await lab.close();
    }
  });
});
