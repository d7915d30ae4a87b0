/** `evenkeel-gateway run` as a process between real clients and reals. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import { EdgeLab, type LabProcess, OTHER_VIP, VIP } from './test-support/edge-lab.ts';
import { failures, goOn, keepFlows, tell } from './test-support/flows.ts';

const required = [requireComponent('bpf'), requireComponent('ip')];
const isMissing = required.some(({ path }) => path === undefined);

/** Prints status and text of an HTTP answer. */
const FETCH = `const [, url, token] = process.argv;
const response = await fetch(url, { headers: { authorization: 'Bearer ' + token } });
console.log(response.status, await response.text());`;

describe.skipIf(isMissing)('evenkeel-gateway run', () => {
  const lab = new EdgeLab({ reals: 3, gateways: 2 });
  let gateway: LabProcess;
  const servers: LabProcess[] = [];

  const config = (vips: string, number = 1, more = ''): string => `
name: ${lab.gatewayName(number)}
interface: eth0
mode: native
admin: { listen: "127.0.0.1:9902", token: hush }
${more}
vips:
${vips}
clusters:
  web:
    discovery: [${lab.reals.map((real) => `"${real}:80"`).join(', ')}]
    health: { tcp: { interval: 100ms, timeout: 200ms, fall: 2, rise: 2 } }
`;
  const web = `  - { address: ${VIP}, port: 80, cluster: web }
  - { address: ${VIP}, port: 7, cluster: web }
  - { address: ${VIP}, port: 7, protocol: udp, cluster: web }
`;
  const other = `  - { address: ${OTHER_VIP}, port: 80, cluster: web }\n`;

  const startServer = async (number: number): Promise<void> => {
    const name = `real${number}`;
    const server = lab.spawnNode(name, 'edge-server.ts', name, VIP, OTHER_VIP);
    await server.said('ready');
    servers[number] = server;
  };
  const startGateway = async (number = 1, ...more: string[]): Promise<LabProcess> => {
    const started = lab.spawnCommand(
      number,
      'run',
      '--config',
      join(lab.folder, `edge${number}.yaml`),
      ...more,
    );
    await started.said('ready: every VIP has a real');
    return started;
  };
  const answers = (count = 30): Set<string> => new Set(lab.ask('names', count).split('\n'));

  beforeAll(async () => {
    await lab.start();
    await Promise.all(lab.reals.map((_, index) => startServer(index + 1)));
    lab.write('edge1.yaml', config(web));
    gateway = await startGateway();
  });
  afterAll(() => lab.close());

  it('forwards real traffic, with nothing configured but an interface and VIPs', () => {
    expect(answers(40)).toEqual(new Set(['real1', 'real2', 'real3']));
    const hash = createHash('sha256').update(Buffer.alloc(2_000_000, 'evenkeel')).digest('hex');
    expect(lab.ask('download', 2_000_000)).toBe(hash);
    expect(lab.ask('upload', 2_000_000)).toBe(hash);
  });

  it('explains which real a flow gets, and that is the one it gets', async () => {
    for (const port of [41_001, 41_002]) {
      const { output } = await lab.command(
        ...[1, 'explain', '--name', lab.gatewayName(), '--json', '--vip', `${VIP}:7/tcp`],
        ...['--client', `10.1.0.2:${port}`],
      );
      const { real, reason } = JSON.parse(output) as { real: string; reason: string };
      expect(`real${lab.reals.indexOf(real) + 1}`).toBe(lab.realOf(port));
      expect(reason).toContain('Maglev table of 3 reals');
    }
    const nobody = await lab.command(
      ...[1, 'explain', '--name', lab.gatewayName(), '--vip', `${VIP}:81/tcp`],
      ...['--client', '10.1.0.2:1'],
    );
    expect(nobody.output).toContain('no VIP has this address');
  });

  it('shows status and rates', async () => {
    const status = await lab.command(1, 'status', '--name', lab.gatewayName());
    expect(status.output).toMatch(/ready +yes/u);
    expect(status.output).toMatch(/10\.200\.1\.1:80\/tcp +web +\d+ +\d+/u);
    const client = await keepFlows(lab, 0, 4);
    const top = await lab.command(
      ...[1, 'top', '--name', lab.gatewayName(), '--interval', '0.3', '--count', '2'],
    );
    await client.end();
    const rows = top.output.matchAll(/10\.200\.1\.1:7\/udp +web +(\d+)/gu);
    // Four flows of two hundred datagrams a second, less what a timer loses on a busy machine.
    expect(Math.max(...Array.from(rows, ([, rate]) => Number(rate)))).toBeGreaterThan(100);
  });

  it('serves metrics and answers about its health, to whom has the token', async () => {
    const ask = (path: string, token = 'hush'): string =>
      lab.in(
        ...([
          'gateway1',
          process.execPath,
          '-e',
          FETCH,
          `http://127.0.0.1:9902${path}`,
          token,
        ] as const),
      );
    expect(ask('/healthz', 'wrong')).toContain('401');
    expect(ask('/readyz')).toContain('200 ready');
    const metrics = ask('/metrics');
    expect(metrics).toMatch(
      /evenkeel_gateway_vip_packets_total\{vip="10\.200\.1\.1:80\/tcp"\} [1-9]/u,
    );
    expect(metrics).toMatch(
      /evenkeel_gateway_vip_reals\{vip="10\.200\.1\.1:80\/tcp",role="active"\} 3/u,
    );
    expect(metrics).toMatch(/evenkeel_gateway_dropped_packets_total\{reason="too_big"\} 0/u);
    expect(metrics).toMatch(/evenkeel_gateway_flow_cache_fill_ratio \d/u);
    expect(metrics).toMatch(/evenkeel_cluster_endpoints_eligible\{cluster="web"\} 3/u);
    expect(metrics).toMatch(/evenkeel_gateway_cpu_packets_total\{cpu="0"\} \d/u);
  });

  it('applies a changed file without touching the VIPs that stay', async () => {
    const client = await keepFlows(lab, 8, 4);
    lab.write('edge1.yaml', config(web + other));
    await gateway.said(`added=["${OTHER_VIP}:80/tcp"]`);
    await goOn(client);
    lab.write('edge1.yaml', config(web));
    await gateway.said(`removed=["${OTHER_VIP}:80/tcp"]`);
    const told = await tell(client, 'quit');
    expect(failures(told)).toEqual([]);
    for (const { sent, received } of told.datagrams) expect(received).toBe(sent);
  });

  it('refuses a wrong file, says where it is wrong, and goes on', async () => {
    lab.write('edge1.yaml', config(web).replace('interval: 100ms', 'intervall: 100ms'));
    await gateway.said('configuration refused');
    expect(gateway.errors).toMatch(
      /edge1\.yaml:\d+:\d+ clusters\.web\.health\.tcp\.intervall: expected no such option; did you mean 'interval'/u,
    );
    expect(answers(6).size).toBeGreaterThan(0);
    lab.write('edge1.yaml', config(web, 1, 'mtu: 1400'));
    await gateway.said('another value takes a restart');
    const applied = gateway.errors.split('configuration applied').length;
    lab.write('edge1.yaml', config(web));
    while (gateway.errors.split('configuration applied').length === applied) {
      await once(gateway.child.stderr!, 'data');
    }
  });

  it('takes a real out whose server has died, and spares the flows of the others', async () => {
    const client = await keepFlows(lab, 24, 0);
    const before = await goOn(client);
    await servers[2]!.end('SIGKILL');
    await gateway.said(/reals=\[(?!.*"10\.3\.2\.2","role":"active").*"role":"failed"/u);
    expect(answers(20)).toEqual(new Set(['real1', 'real3']));
    const told = await goOn(client);
    await client.end();
    expect(before.connections.some(({ real }) => real === 'real2')).toBe(true);
    expect(failures(told).filter((failure) => !failure.startsWith('real2'))).toEqual([]);
    await startServer(2);
    const { output } = gateway;
    expect(output).toBe('');
    await gateway.said(/"10\.3\.2\.2","role":"failed"[^]*"10\.3\.2\.2","role":"active"/u);
    expect(answers()).toEqual(new Set(['real1', 'real2', 'real3']));
  });

  it('is killed and started again without a packet lost', async () => {
    const client = await keepFlows(lab, 24, 8);
    const before = await goOn(client);
    await gateway.end('SIGKILL');
    // Nobody controls it now, and it forwards as it did.
    await goOn(client);
    expect(answers(6).size).toBeGreaterThan(0);
    gateway = await startGateway();
    expect(gateway.errors).toContain('adopted=true');
    await goOn(client);
    const told = await tell(client, 'quit');
    expect(failures(told)).toEqual([]);
    expect(told.connections.map(({ real }) => real)).toEqual(
      before.connections.map(({ real }) => real),
    );
    for (const { sent, received, reals } of told.datagrams) {
      expect(received).toBe(sent);
      expect(reals.length).toBe(1);
    }
  });

  it('refuses to run twice under one name', async () => {
    const { code, errors } = await lab.command(
      1,
      'run',
      '--config',
      join(lab.folder, 'edge1.yaml'),
    );
    expect(code).toBe(1);
    expect(errors).toContain(`belongs to process ${gateway.child.pid}`);
  });

  it('hands flows to another gateway, which knows none of them and finds their reals', async () => {
    lab.write('edge2.yaml', config(web, 2));
    const second = await startGateway(2);
    const client = await keepFlows(lab, 24, 8);
    const before = await goOn(client);
    lab.routeTo(2);
    await goOn(client);
    const told = await tell(client, 'quit');
    lab.routeTo(1);
    expect(await second.end()).toBe(0);
    expect(failures(told)).toEqual([]);
    expect(told.connections.map(({ real }) => real)).toEqual(
      before.connections.map(({ real }) => real),
    );
    for (const { sent, received, reals } of told.datagrams) {
      expect(received).toBe(sent);
      expect(reals.length).toBe(1);
    }
  });

  it('ends at a signal and leaves nothing behind', async () => {
    expect(lab.in('gateway1', 'ip', 'link', 'show', 'eth0')).toContain('xdp');
    expect(await gateway.end()).toBe(0);
    expect(lab.in('gateway1', 'ip', 'link', 'show', 'eth0')).not.toContain('xdp');
    expect(existsSync(`/sys/fs/bpf/evenkeel/${lab.gatewayName()}`)).toBe(false);
  });
});
