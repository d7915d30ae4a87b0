/** A real set up by the command, in namespaces: connections through gateway and tunnel, and everything undone. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { GatewayPlan } from './test-support/gateway-process.ts';
import {
  Lab,
  type LabProcess,
  REAL_NAMES,
  type RealName,
  REALS,
  ROUTER_MAC,
  VIPS,
} from './test-support/lab.ts';

const isMissing = [requireComponent('bpf'), requireComponent('ip')].some(
  ({ path }) => path === undefined,
);
const BYTES = 2_000_000;
const HASH = createHash('sha256').update(Buffer.alloc(BYTES, 'evenkeel')).digest('hex');

/** VIPs of both families, each with reals of both families. */
const planFor = (mtu: number): GatewayPlan => ({
  options: { nextHop: ROUTER_MAC, mtu },
  vips: ([4, 6] as const).flatMap((family) =>
    (['tcp', 'udp'] as const).map((protocol) => ({
      vip: { address: VIPS[family], port: 80, protocol },
      reals: [{ address: REALS[4][0] }, { address: REALS[6][1] }],
    })),
  ),
});
const folder = mkdtempSync(join(tmpdir(), 'evenkeel-real-'));
const stateFolder = (name: RealName): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

/** Addresses on lo, routes of its own, and the settings that a set-up may change. */
function stateOf(lab: Lab, name: RealName): string {
  const settings = ['all.arp_ignore', 'all.arp_announce', 'eth0.rp_filter'];
  return [
    lab.in(name, 'ip', '-br', 'addr', 'show', 'dev', 'lo'),
    lab.in(name, 'ip', '-6', 'route', 'show', 'table', 'local', 'dev', 'lo'),
    ...settings.map((setting) => lab.in(name, 'sysctl', `net.ipv4.conf.${setting}`)),
    lab.in(name, 'ip', 'link', 'show', 'dev', 'eth0').replaceAll(/qdisc \S+/gu, ''),
  ].join('\n');
}

describe.skipIf(isMissing).each(['xdp', 'tc'] as const)(
  'a real that decapsulates in %s',
  (hook) => {
    let lab: Lab;
    let before: string;
    const reals = new Map<RealName, LabProcess>();

    beforeAll(async () => {
      lab = new Lab();
      before = stateOf(lab, 'real1');
      await lab.start('router', ['forwarder', 'attach-process.ts'], 'gateway', 'pass');
      await lab.start('gateway', ['real', 'gateway-process.ts'], JSON.stringify(planFor(1_600)));
      for (const name of REAL_NAMES) {
        lab.in(name, 'sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=1');
        const vips = Object.values(VIPS).flatMap((vip) => ['--vip', vip]);
        const args = [...vips, '--interface', 'eth0', '--hook', hook, '--state', stateFolder(name)];
        reals.set(name, await lab.start(name, ['real', 'real-process.ts'], ...args));
        for (const vip of Object.values(VIPS)) {
          await lab.start(name, ['real', 'server-process.ts'], vip, '80', name);
        }
      }
    });
    afterAll(() => lab.close());
    const ask = (family: 4 | 6, what: string, count: number): string =>
      lab.node('client', ['real', 'client-process.ts'], VIPS[family], '80', what, String(count));

    it.each([4, 6] as const)(
      'answers connections to an IPv%i VIP through both tunnels',
      (family) => {
        expect(new Set(ask(family, 'names', 24).split('\n'))).toEqual(new Set(REAL_NAMES));
      },
    );

    it.each([4, 6] as const)('carries IPv%i downloads and uploads unharmed', (family) => {
      for (let turn = 0; turn < 4; turn += 1) {
        expect(ask(family, 'download', BYTES)).toBe(HASH);
        expect(ask(family, 'upload', BYTES)).toBe(HASH);
      }
    });

    it.each([4, 6] as const)('answers IPv%i datagrams', (family) => {
      for (const bytes of [0, 1, 1_000, 1_400]) {
        expect(REAL_NAMES).toContain(ask(family, 'udp', bytes));
      }
    });

    it('does not claim the VIP on its network', () => {
      // The router asks for the VIP on the real's link: nobody may answer.
      lab.in('router', 'ip', 'route', 'replace', `${VIPS[4]}/32`, 'dev', 'real1');
      try {
        expect(() => lab.in('router', 'bash', '-c', `echo >/dev/tcp/${VIPS[4]}/80`)).toThrow(
          'No route to host',
        );
        expect(lab.in('router', 'ip', 'neigh', 'show', VIPS[4], 'dev', 'real1')).not.toMatch(
          /lladdr/u,
        );
      } finally {
        lab.in('router', 'ip', 'route', 'replace', `${VIPS[4]}/32`, 'via', '10.2.0.2');
      }
    });

    it('refuses a second set-up of the same interface', () => {
      const args = ['--vip', VIPS[4], '--interface', 'eth0', '--state', stateFolder('real1')];
      expect(() => lab.node('real1', ['real', 'real-process.ts'], ...args)).toThrow(
        'has set up eth0 as a real already',
      );
      expect(() => lab.node('real1', ['real', 'real-process.ts'], ...args, '--undo')).toThrow(
        'is running',
      );
    });

    it('undoes everything when it ends', async () => {
      lab.in('real1', 'sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0');
      const said = await reals.get('real1')!.end();
      expect(said.at(-1)).toBe('undone');
      expect(said.at(-2)).toMatch(/^packets: ipip \d+/u);
      expect(stateOf(lab, 'real1')).toBe(before);
    });

    it('undoes what a killed process left behind', async () => {
      const real2 = reals.get('real2')!;
      lab.in('real2', 'sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0');
      const exit = new Promise((resolve) => real2.child.once('exit', resolve));
      real2.child.kill('SIGKILL');
      await exit;
      expect(stateOf(lab, 'real2')).not.toBe(stateOf(lab, 'real1'));
      const args = ['--interface', 'eth0', '--state', stateFolder('real2'), '--undo'];
      expect(lab.node('real2', ['real', 'real-process.ts'], ...args)).toBe('undone');
      expect(lab.node('real2', ['real', 'real-process.ts'], ...args)).toBe('nothing to undo');
      expect(lab.in('real2', 'ip', '-br', 'addr', 'show', 'dev', 'lo')).not.toContain(VIPS[4]);
    });
  },
);

describe.skipIf(isMissing)('a network whose MTU leaves no room for the tunnel', () => {
  let lab: Lab;
  const said = new Map<RealName, readonly string[]>();

  beforeAll(async () => {
    lab = new Lab({ mtu: 1_500 });
    await lab.start('router', ['forwarder', 'attach-process.ts'], 'gateway', 'pass');
    await lab.start('gateway', ['real', 'gateway-process.ts'], JSON.stringify(planFor(1_500)));
    // Here somebody else's XDP program has the interface.
    await lab.start('real2', ['forwarder', 'attach-process.ts'], 'eth0', 'pass');
    for (const name of REAL_NAMES) {
      const vips = Object.values(VIPS).join(',');
      const args = ['--vip', vips, '--interface', 'eth0', '--state', stateFolder(name)];
      const real = await lab.start(name, ['real', 'real-process.ts'], ...args);
      said.set(name, real.greeting);
      for (const vip of Object.values(VIPS)) {
        await lab.start(name, ['real', 'server-process.ts'], vip, '80', name);
      }
    }
  });
  afterAll(() => lab.close());

  it('is told about, with the cure', () => {
    expect(said.get('real1')!.filter((line) => line.startsWith('warning: '))).toEqual([
      "warning: MTU 1500 of eth0 leaves 1452 bytes to a client's packet: TCP clients are told so (MSS 1412); larger UDP packets are lost. To cure it, here and on the way: ip link set dev eth0 mtu 1548",
    ]);
  });

  it('does not keep a real from working beside another XDP program', () => {
    expect(said.get('real1')!.at(-1)).toBe('ready: taking headers off at xdp of eth0');
    expect(said.get('real2')!.at(-1)).toBe('ready: taking headers off at tc of eth0');
    const file = ['real', 'client-process.ts'] as const;
    const names = lab.node('client', file, VIPS[4], '80', 'names', '24').split('\n');
    expect(new Set(names)).toEqual(new Set(REAL_NAMES));
  });

  it.each([4, 6] as const)(
    'carries IPv%i uploads, because clients send smaller segments',
    (family) => {
      const upload = ['upload', String(BYTES)] as const;
      for (let turn = 0; turn < 4; turn += 1) {
        const file = ['real', 'client-process.ts'] as const;
        expect(lab.node('client', file, VIPS[family], '80', ...upload)).toBe(HASH);
      }
    },
  );
});
