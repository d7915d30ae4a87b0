import { describe, expect, it } from 'vitest';
import { decodeGatewayFile } from '../config/decode-file.ts';
import type { Facts, InterfaceFacts } from './facts.ts';
import type { Finding } from './finding.ts';
import { judge } from './judge.ts';

const config = await decodeGatewayFile(
  `interface: eth0
vips: [{ address: 203.0.113.10, port: 443, cluster: web }]
clusters: { web: { discovery: ["10.0.0.1:443"] } }
`,
  { name: 'edge.yaml' },
);

const yes = { supported: true } as const;
const healthyInterface: InterfaceFacts = {
  name: 'eth0',
  info: {
    ...{ name: 'eth0', index: 2, isUp: true, isRunning: true, mtu: 1_600, driver: 'ixgbe' },
    mac: '02:00:00:00:00:02',
    offloads: { txChecksum: true, rxChecksum: true, gro: true, lro: false },
  },
  hasXdp: false,
  isOurs: false,
  peer: undefined,
  router: '10.0.2.1',
  routerMac: '02:00:00:00:00:01',
};
const healthy: Facts = {
  config,
  features: {
    kernel: '6.18.0',
    missingCapabilities: [],
    ...{ btf: yes, jit: yes, bpffs: yes, tcx: yes },
    programs: { xdp: yes } as never,
    maps: { array: yes, hash: yes, 'percpu-array': yes } as never,
  },
  interfaces: [healthyInterface],
  localAddresses: new Map([['10.0.2.2', 'eth0']]),
  isForwarding: false,
  owner: undefined,
  clusters: undefined,
};

const faults = (facts: Partial<Facts>): readonly Finding[] =>
  judge({ ...healthy, ...facts }).filter(({ level }) => level === 'warning' || level === 'failure');
const withInterface = (change: Partial<InterfaceFacts>): Partial<Facts> => ({
  interfaces: [{ ...healthyInterface, ...change }],
});
const withInfo = (change: object): Partial<Facts> =>
  withInterface({ info: { ...healthyInterface.info, ...change } as never });
const withConfig = (change: object): Partial<Facts> => ({ config: { ...config, ...change } });

describe('judge', () => {
  it.each(['nat', 'l2'])('asks for no larger MTU where nothing is put in front: %s', (forward) => {
    const vips = config.vips.map((vip) => ({ ...vip, forward }));
    expect(faults({ ...withConfig({ vips }), ...withInfo({ mtu: 1_500 }) })).toEqual([]);
  });

  it('tells of routes to the addresses of NAT instead of tunnels', () => {
    const vips = config.vips.map((vip) => ({ ...vip, forward: 'nat' }));
    const nat = { addresses: ['192.0.2.9'] };
    const told = judge({ ...healthy, ...withConfig({ vips, nat }) });
    expect(told.some(({ topic }) => topic === 'reals')).toBe(false);
    expect(told.find(({ topic }) => topic === 'router')?.cures).toEqual([
      'ip route add 203.0.113.10 via ADDRESS-OF-THIS-MACHINE',
      'ip route add 192.0.2.9 via ADDRESS-OF-THIS-MACHINE',
    ]);
  });

  it('has nothing against a machine that is as it should be', () => {
    expect(faults({})).toEqual([]);
    expect(judge(healthy).map(({ topic }) => topic)).toEqual(
      expect.arrayContaining(['router', 'reals']),
    );
  });

  it.each<[string, Partial<Facts>, Partial<Finding>]>([
    [
      'no capabilities',
      { features: { ...healthy.features, missingCapabilities: ['BPF'] } },
      { level: 'failure', topic: 'capabilities' },
    ],
    [
      'no XDP in the kernel',
      {
        features: {
          ...healthy.features,
          programs: { xdp: { supported: false, reason: 'no' } } as never,
        },
      },
      { level: 'failure', topic: 'kernel' },
    ],
    [
      'no JIT',
      { features: { ...healthy.features, jit: { supported: false, reason: 'switched off' } } },
      { level: 'warning', topic: 'jit' },
    ],
    [
      'no BPF file system',
      { features: { ...healthy.features, bpffs: { supported: false, reason: 'none' } } },
      { level: 'warning', topic: 'bpffs' },
    ],
    ['no carrier', withInfo({ isRunning: false }), { level: 'failure', topic: 'interface' }],
    ['another program', withInterface({ hasXdp: true }), { level: 'failure', topic: 'attachment' }],
    [
      'received packets joined',
      withInfo({ offloads: { lro: true } }),
      { level: 'warning', topic: 'offload' },
    ],
    ['a driver without XDP', withInfo({ driver: 'e1000' }), { level: 'warning', topic: 'driver' }],
    [
      'the same where native is wanted',
      { ...withInfo({ driver: 'e1000' }), ...withConfig({ mode: 'native' }) },
      { level: 'failure', topic: 'driver' },
    ],
    [
      'joined packets in generic mode',
      withConfig({ mode: 'generic' }),
      { level: 'warning', topic: 'offload' },
    ],
    ['more MTU than there is', withConfig({ mtu: 1_700 }), { level: 'failure', topic: 'mtu' }],
    [
      'a mode that no card has',
      withConfig({ mode: 'offload' }),
      { level: 'failure', topic: 'driver' },
    ],
    [
      'too little MTU for GUE',
      {
        ...withConfig({ vips: config.vips.map((vip) => ({ ...vip, forward: 'gue' })) }),
        ...withInfo({ mtu: 1_520 }),
      },
      { level: 'warning', topic: 'mtu' },
    ],
    ['too little MTU', withInfo({ mtu: 1_500 }), { level: 'warning', topic: 'mtu' }],
    ['no route', withInterface({ router: undefined }), { level: 'failure', topic: 'route' }],
    [
      'no answer',
      withInterface({ routerMac: undefined }),
      { level: 'failure', topic: 'neighbour' },
    ],
    [
      "a VIP of one's own",
      { localAddresses: new Map([['203.0.113.10', 'lo']]) },
      { level: 'warning', topic: 'vip' },
    ],
    [
      'a process that is gone',
      { owner: { pid: 1, alive: false } },
      { level: 'warning', topic: 'process' },
    ],
    [
      'a silent registry',
      { clusters: [{ name: 'web', ready: false, hasChecks: true, reals: [] }] },
      { level: 'failure', topic: 'cluster' },
    ],
    [
      'an empty cluster',
      { clusters: [{ name: 'web', ready: true, hasChecks: true, reals: [] }] },
      { level: 'failure', topic: 'cluster' },
    ],
  ])('finds %s', (_what, facts, finding) => {
    expect(faults(facts)).toEqual([expect.objectContaining(finding)]);
  });

  it('does not mind its own program, nor one next hop that is written down', () => {
    expect(faults(withInterface({ hasXdp: true, isOurs: true }))).toEqual([]);
    const written = withConfig({ nextHop: '02:00:00:00:00:01' });
    expect(faults({ ...written, ...withInterface({ router: undefined }) })).toEqual([]);
  });

  it('names a cure for every failure that has one', () => {
    const finding = faults(withInfo({ isUp: false }))[0];
    expect(finding?.cures).toEqual(['ip link set dev eth0 up']);
  });

  it('only notes that the kernel forwards as well', () => {
    expect(faults({ isForwarding: true })).toEqual([]);
    expect(judge({ ...healthy, isForwarding: true })).toContainEqual(
      expect.objectContaining({ level: 'advice', topic: 'forwarding' }),
    );
  });
});
