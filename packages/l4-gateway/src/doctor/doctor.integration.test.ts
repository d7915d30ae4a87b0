/** The doctor in a network that works, and with each of the classic faults in it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import { EdgeLab, type LabProcess, OTHER_VIP, VIP } from '../gateway/test-support/edge-lab.ts';
import type { Finding } from './finding.ts';

const required = [requireComponent('bpf'), requireComponent('ip')];
const isMissing = required.some(({ path }) => path === undefined);

interface Told {
  readonly code: number | null;
  readonly findings: readonly Finding[];
}

describe.skipIf(isMissing)('evenkeel-gateway doctor', () => {
  const lab = new EdgeLab({ reals: 1 });
  let server: LabProcess;

  const ask = async (
    options: readonly string[] = [],
    change = (text: string): string => text,
  ): Promise<Told> => {
    const text = `
name: ${lab.gatewayName()}
interface: eth0
mode: native
vips: [{ address: ${VIP}, port: 80, cluster: web }]
clusters:
  web:
    discovery: ["10.3.1.2:80"]
    health: { tcp: { interval: 100ms, timeout: 200ms, fall: 1 } }
`;
    const path = lab.write('edge.yaml', change(text));
    const { code, output, errors } = await lab.command(
      1,
      'doctor',
      '--json',
      '--config',
      path,
      ...options,
    );
    if (output === '') throw new Error(errors);
    return { code, findings: JSON.parse(output) as Finding[] };
  };
  const found = ({ findings }: Told, topic: string): readonly Finding[] =>
    findings.filter((finding) => finding.topic === topic);

  beforeAll(async () => {
    await lab.start();
    server = lab.spawnNode('real1', 'edge-server.ts', 'real1', VIP, OTHER_VIP);
    await server.said('ready');
  });
  afterAll(() => lab.close());

  it('finds nothing wrong where nothing is', async () => {
    const { code, findings } = await ask(['--probe']);
    expect(findings.filter(({ level }) => level === 'warning' || level === 'failure')).toEqual([]);
    expect(code).toBe(0);
    const topics = new Set(
      findings.filter(({ level }) => level === 'ok').map(({ topic }) => topic),
    );
    expect([...topics]).toEqual(
      expect.arrayContaining([
        'interface',
        'driver',
        'veth',
        'checksum',
        'mtu',
        'neighbour',
        'cluster',
      ]),
    );
  });

  it('finds checksums left to hardware, and says whose', async () => {
    lab.run('router', 'edge-checksum.ts', 'gateway1', 'on');
    const told = await ask();
    lab.run('router', 'edge-checksum.ts', 'gateway1', 'off');
    expect(told.code).toBe(1);
    const [finding] = found(told, 'checksum');
    expect(finding).toMatchObject({ level: 'failure' });
    expect(finding?.cures).toEqual([
      `nsenter --net=${lab.netns('router')} ethtool -K gateway1 tx off`,
    ]);
  });

  it('finds an MTU without room for the outer header', async () => {
    lab.in('gateway1', 'ip', 'link', 'set', 'eth0', 'mtu', '1500');
    const told = await ask();
    lab.in('gateway1', 'ip', 'link', 'set', 'eth0', 'mtu', '1600');
    expect(told.code).toBe(3);
    expect(found(told, 'mtu')[0]).toMatchObject({ level: 'warning' });
    expect(found(told, 'mtu')[0]?.message).toContain('1520');
  });

  it("finds a VIP that is this machine's own", async () => {
    lab.in('gateway1', 'ip', 'address', 'add', `${VIP}/32`, 'dev', 'lo');
    const told = await ask();
    lab.in('gateway1', 'ip', 'address', 'del', `${VIP}/32`, 'dev', 'lo');
    expect(told.code).toBe(3);
    expect(found(told, 'vip')[0]?.cures).toEqual([`ip address del ${VIP} dev lo`]);
  });

  it('finds a router that does not answer', async () => {
    lab.in('router', 'ip', 'link', 'set', 'gateway1', 'arp', 'off');
    lab.in('gateway1', 'ip', 'neigh', 'flush', 'all');
    const told = await ask();
    lab.in('router', 'ip', 'link', 'set', 'gateway1', 'arp', 'on');
    expect(told.code).toBe(1);
    expect(found(told, 'neighbour')[0]).toMatchObject({ level: 'failure' });
  });

  it('finds an interface that is missing, or down', async () => {
    const missing = await ask([], (text) => text.replace('eth0', 'eth9'));
    expect(missing.code).toBe(1);
    expect(found(missing, 'interface')[0]?.message).toContain('no interface eth9');
    lab.in('gateway1', 'ip', 'link', 'set', 'eth0', 'down');
    const down = await ask();
    lab.in('gateway1', 'ip', 'link', 'set', 'eth0', 'up');
    expect(found(down, 'interface')[0]?.cures).toEqual(['ip link set dev eth0 up']);
    // The kernel has taken the route away together with the link.
    expect(found(down, 'route')[0]).toMatchObject({ level: 'failure' });
    lab.in('gateway1', 'ip', 'route', 'add', 'default', 'via', '10.2.1.1');
  });

  it('finds reals that fail their checks, and clusters without checks', async () => {
    const unchecked = await ask(['--probe'], (text) => text.replace(/^.*health:.*$/mu, ''));
    expect(found(unchecked, 'health')[0]).toMatchObject({ level: 'warning' });
    await server.end();
    const told = await ask(['--probe']);
    expect(told.code).toBe(1);
    expect(found(told, 'real')[0]?.message).toContain('10.3.1.2');
    expect(found(told, 'cluster')[0]?.message).toContain('no healthy real');
  });

  it('finds the other end of a virtual cable without a program', async () => {
    await lab.routerPrograms[0]!.end();
    const told = await ask();
    expect(told.code).toBe(1);
    expect(found(told, 'veth')[0]?.message).toContain('has no XDP program');
  });
});
