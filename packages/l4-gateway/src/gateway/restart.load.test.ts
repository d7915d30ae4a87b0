/** What outlives the process, and what it takes to end it; and kinds of VIPs that a file can ask for. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { Finding } from '../doctor/finding.ts';
import type { FlowDump } from '../forwarder/flow-dump.ts';
import { EdgeLab, type LabProcess, OTHER_VIP, VIP } from './test-support/edge-lab.ts';
import { failures, goOn, keepFlows, tell } from './test-support/flows.ts';

const required = [requireComponent('bpf'), requireComponent('ip')];
const isMissing = required.some(({ path }) => path === undefined);
/** Routed to the gateway, and nobody's own. */
const NAT_ADDRESS = '10.200.9.1';

describe.skipIf(isMissing)('a gateway and its successor', () => {
  const lab = new EdgeLab({ reals: 3 });
  let gateway: LabProcess;
  const name = lab.gatewayName();

  const writeReals = (...reals: readonly string[]): void => {
    lab.write('reals.yaml', reals.map((real) => `- ${real}:80\n`).join(''));
  };
  /** @param echo cluster of the VIPs at port 7: with NAT, a real listens where its endpoint says */
  const write = (more = '', vipOptions = '', echo = 'web'): string =>
    lab.write(
      'edge.yaml',
      `name: ${name}
interface: eth0
mode: native
${more}
vips:
  - { address: ${VIP}, port: 80, cluster: web${vipOptions} }
  - { address: ${VIP}, port: 7, cluster: ${echo}${vipOptions} }
  - { address: ${VIP}, port: 7, protocol: udp, cluster: ${echo}${vipOptions} }
clusters:
  web:
    discovery: { file: { path: ${join(lab.folder, 'reals.yaml')} } }
    health: { tcp: { interval: 100ms, timeout: 200ms, fall: 2, rise: 2 } }
  canary:
    discovery: ["10.3.3.2:80"]
  echo:
    discovery: [${lab.reals.map((real) => `"${real}:7"`).join(', ')}]
`,
    );
  const start = async (...more: readonly string[]): Promise<LabProcess> => {
    const started = lab.spawnCommand(1, 'run', '--config', join(lab.folder, 'edge.yaml'), ...more);
    await started.said('ready: every VIP has a real');
    return started;
  };
  const applied = async (change: () => void): Promise<void> => {
    const before = gateway.errors.split('configuration applied').length;
    change();
    await gateway.said(new RegExp(`(configuration applied[^]*){${before}}`, 'u'));
  };
  const explain = async (vip: string): Promise<unknown> => {
    const asked = ['--json', '--name', name, '--vip', vip, '--client', '10.1.0.2:40000'];
    return JSON.parse((await lab.command(1, 'explain', ...asked)).output) as unknown;
  };
  const answers = (): Set<string> => new Set(lab.ask('names', 24).split('\n'));

  beforeAll(async () => {
    await lab.start();
    lab.in('router', 'ip', 'route', 'add', `${NAT_ADDRESS}/32`, 'via', '10.2.1.2');
    await Promise.all(
      lab.reals.map((_, index) => {
        const real = `real${index + 1}`;
        return lab.spawnNode(real, 'edge-server.ts', real, VIP, OTHER_VIP).said('ready');
      }),
    );
    writeReals(...lab.reals);
    write();
    gateway = await start();
  });
  afterAll(() => lab.close());

  it('remembers flows of a real that drains', async () => {
    const client = await keepFlows(lab, 24, 0);
    const before = await goOn(client);
    expect(before.connections.some(({ real }) => real === 'real2')).toBe(true);
    writeReals('10.3.1.2', '10.3.3.2');
    await gateway.said(/"10\.3\.2\.2","role":"draining"/u);
    // No new ones, but the old ones go on, by memory alone: the Maglev table has no place for them any more.
    expect(answers()).toEqual(new Set(['real1', 'real3']));
    await gateway.end('SIGKILL');
    gateway = await start();
    expect(gateway.errors).toContain('adopted=true');
    const told = await goOn(client);
    await client.end();
    expect(failures(told)).toEqual([]);
    expect(answers()).toEqual(new Set(['real1', 'real3']));
    writeReals(...lab.reals);
    await gateway.said(/"10\.3\.2\.2","role":"active"/u);
  });

  it('shows the flows that it remembers', async () => {
    const client = await keepFlows(lab, 6, 0);
    await goOn(client);
    const { output } = await lab.command(
      ...[1, 'flows', '--name', name, '--json', '--vip', `${VIP}:7/tcp`, '--client', '10.1.0.2'],
    );
    const dump = JSON.parse(output) as FlowDump;
    const told = await tell(client);
    await client.end();
    for (const { real } of told.connections) {
      const address = lab.reals[Number(real.slice(4)) - 1];
      expect(dump.flows).toContainEqual(
        expect.objectContaining({ real: address, port: 7, confirmed: true, closing: false }),
      );
    }
    expect(dump.flows.every(({ silentSeconds }) => silentSeconds < 30_000)).toBe(true);
  });

  it('follows single packets', async () => {
    const client = await keepFlows(lab, 2, 0);
    const { code, output, errors } = await lab.command(
      ...[1, 'trace', '--name', name, '--vip', VIP, '--port', '7', '--count', '3'],
      ...['--pcap', join(lab.folder, 'trace.pcapng')],
    );
    await client.end();
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toMatch(/#\d+ on CPU \d+: \d+ bytes in, tx, \d+ bytes out/u);
    expect(output).toMatch(/10\.3\.[123]\.2/u);
    expect(output).toContain('3 packets');
    // The magic number of a section header of pcapng.
    expect(readFileSync(join(lab.folder, 'trace.pcapng')).readUInt32LE(0)).toBe(0x0a0d_0d0a);
  });

  it('loads another program beside the old one when what it remembers has another layout', async () => {
    const client = await keepFlows(lab, 12, 8);
    const before = await goOn(client);
    await gateway.end('SIGKILL');
    write('flowsPerCpu: 8192');
    gateway = await start();
    expect(gateway.errors).toContain('adopted=false');
    await goOn(client);
    const told = await tell(client, 'quit');
    expect(failures(told)).toEqual([]);
    expect(told.connections.map(({ real }) => real)).toEqual(
      before.connections.map(({ real }) => real),
    );
    for (const { sent, received } of told.datagrams) expect(received).toBe(sent);
  });

  it('goes on without a process when asked to, which the doctor notices, until it is detached', async () => {
    expect(await gateway.end()).toBe(0);
    gateway = await start('--keep');
    expect(await gateway.end()).toBe(0);
    expect(answers()).toEqual(new Set(['real1', 'real2', 'real3']));
    const doctor = await lab.command(
      1,
      'doctor',
      '--json',
      '--config',
      join(lab.folder, 'edge.yaml'),
    );
    expect(doctor.code).toBe(3);
    expect(
      (JSON.parse(doctor.output) as Finding[]).filter(({ level }) => level === 'warning'),
    ).toEqual([expect.objectContaining({ topic: 'process' })]);
    const detach = await lab.command(1, 'detach', '--name', name);
    expect(detach).toMatchObject({ code: 0, errors: '' });
    expect(lab.in('gateway1', 'ip', 'link', 'show', 'eth0')).not.toContain('xdp');
    expect(existsSync(`/sys/fs/bpf/evenkeel/${name}`)).toBe(false);
    gateway = await start();
  });

  it('refuses to detach what runs', async () => {
    const { code, errors } = await lab.command(1, 'detach', '--name', name);
    expect(code).toBe(1);
    expect(errors).toContain(`process ${gateway.child.pid} runs`);
  });

  it('sends clients of some networks elsewhere', async () => {
    await applied(() =>
      write('flowsPerCpu: 8192', ', sourceRoutes: [{ sources: [10.1.0.0/16], cluster: canary }]'),
    );
    await gateway.said(/"10\.3\.3\.2"[^\n]*"10\.3\.3\.2"|reals changed/u);
    expect(answers()).toEqual(new Set(['real3']));
    expect(await explain(`${VIP}:80`)).toMatchObject({
      ...{ vip: `${VIP}:80/tcp`, cluster: 'canary', real: '10.3.3.2' },
      reason: expect.stringContaining('the source route of 10.1.0.0/16 takes it'),
      reals: [expect.objectContaining({ address: '10.3.3.2', shareRatio: 1 })],
    });
    await applied(() => write('flowsPerCpu: 8192'));
    expect(answers()).toEqual(new Set(['real1', 'real2', 'real3']));
  });

  it.each(['gue', 'gre'])(
    'forwards by %s when the file says so, without a restart',
    async (forward) => {
      await applied(() => write('flowsPerCpu: 8192', `, forward: ${forward}`));
      expect(answers().size).toBeGreaterThan(0);
    },
  );

  it('keeps sources out, and lets them in again, while it runs', async () => {
    await gateway.end();
    write('guard: { allow: [10.1.0.0/16], others: deny }');
    gateway = await start();
    expect(answers().size).toBeGreaterThan(0);
    await applied(() => write('guard: { deny: [10.1.0.0/24] }'));
    expect(answers).toThrow(/no answer/u);
    await applied(() => write('guard: {}'));
    expect(answers().size).toBeGreaterThan(0);
  });

  it('translates addresses for reals that know nothing of VIPs', async () => {
    await gateway.end();
    write(`nat: { addresses: [${NAT_ADDRESS}] }`, ', forward: nat', 'echo');
    gateway = await start();
    for (const real of ['real1', 'real2', 'real3']) {
      lab.in(real, 'ip', 'addr', 'del', `${VIP}/32`, 'dev', 'lo');
    }
    expect(answers()).toEqual(new Set(['real1', 'real2', 'real3']));
  });

  it('takes over connections of NAT from a process that was killed', async () => {
    const client = await keepFlows(lab, 24, 0);
    const before = await goOn(client);
    expect(new Set(before.connections.map(({ real }) => real)).size).toBe(3);
    await gateway.end('SIGKILL');
    // Both ways go on without a process.
    await goOn(client);
    gateway = await start();
    expect(gateway.errors).toContain('adopted=true');
    const told = await goOn(client);
    await client.end();
    expect(failures(told)).toEqual([]);
    expect(told.connections.map(({ real }) => real)).toEqual(
      before.connections.map(({ real }) => real),
    );
    expect(answers().size).toBeGreaterThan(0);
  });

  it('leaves a slot for another program where the file says, and takes another start for it', async () => {
    const slot = `/sys/fs/bpf/${name}_next`;
    write(`next: { path: ${slot} }`);
    await gateway.said(/next: expected none, because another value takes a restart/u);
    await gateway.end();
    gateway = await start();
    expect(existsSync(slot)).toBe(true);
    await gateway.end();
    rmSync(slot);
  });
});
