import { ConfigError } from '@evenkeel/core';
import { consulSource } from '@evenkeel/core/consul';
import { describe, expect, it } from 'vitest';
import { decodeGatewayFile, gatewayJsonSchema } from './decode-file.ts';
import type { GatewayConfig } from './gateway-options.ts';

const SMALL = `interface: eth0
vips:
  - { address: 203.0.113.10, port: 443, cluster: web }
clusters:
  web:
    discovery: ["10.0.0.1:443", "10.0.0.2:443"]
    health: { tcp: { interval: 1s } }
`;

const decode = (text: string, environment: Record<string, string> = {}): Promise<GatewayConfig> =>
  decodeGatewayFile(text, { name: 'edge.yaml', sources: [consulSource], environment });

async function refused(text: string): Promise<readonly string[]> {
  try {
    await decode(text);
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.issues.map(
        ({ path, expected }) => `${path.replace(/^(edge\.yaml:\d+):\d+ ?/u, '$1: ')}: ${expected}`,
      );
    }
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a gateway file', () => {
  it('needs an interface, VIPs and clusters, and has a default for everything else', async () => {
    const config = await decode(SMALL);
    expect(config).toMatchObject({
      name: 'edge',
      interfaces: ['eth0'],
      mode: 'auto',
      nextHop: 'auto',
      mtu: 'auto',
      onStop: 'detach',
      admin: undefined,
    });
    expect(config.vips[0]).toMatchObject({ protocol: 'tcp', drainTimeoutMs: 300_000 });
  });

  it('makes endpoints wait for their first check, unless it says otherwise', async () => {
    expect((await decode(SMALL)).clusters.get('web')?.health?.tcp?.initial).toBe('unchecked');
    const told = await decode(SMALL.replace('interval: 1s', 'interval: 1s, initial: healthy'));
    expect(told.clusters.get('web')?.health?.tcp?.initial).toBe('healthy');
  });

  it('reads durations with their units', async () => {
    const config = await decode(
      SMALL.replace('cluster: web }', 'cluster: web, drainTimeout: 1m30s }'),
    );
    expect(config.vips[0]?.drainTimeoutMs).toBe(90_000);
  });

  it('takes lists of interfaces, and kinds of discovery from other entries', async () => {
    expect((await decode(SMALL.replace('eth0', '[eth0, eth1]'))).interfaces).toEqual([
      'eth0',
      'eth1',
    ]);
    const consul = SMALL.replace(/discovery: .*/u, 'discovery: { consul: { service: web } }');
    expect((await decode(consul)).clusters.has('web')).toBe(true);
  });

  it('keeps what the guard lets in apart from the room for it, so that it may change', async () => {
    const text = `${SMALL}guard: { deny: [192.0.2.0/24], perSource: { newFlows: { perSecond: 50 } } }\n`;
    const { guard, guardRules } = await decode(text);
    expect(guard).toEqual({ everyPacket: true, trackedSources: 65_536 });
    expect(guardRules).toEqual({
      ...{ deny: ['192.0.2.0/24'], allow: [], others: 'allow' },
      perSource: { newFlows: { perSecond: 50 } },
    });
  });

  it('fills in variables of the environment', async () => {
    const text = SMALL.replace('eth0', '${EDGE_INTERFACE:-eth0}');
    expect((await decode(text)).interfaces).toEqual(['eth0']);
    expect((await decode(text, { EDGE_INTERFACE: 'ens3' })).interfaces).toEqual(['ens3']);
  });

  it.each([
    [
      'an unknown key',
      SMALL.replace('interface:', 'interfaces:'),
      "edge.yaml:1: interfaces: no such option; did you mean 'interface'?",
    ],
    [
      'a value out of range',
      SMALL.replace('port: 443', 'port: 70000'),
      'edge.yaml:3: vips[0].port: ',
    ],
    [
      'a bare number for a duration',
      SMALL.replace('1s', '5'),
      'edge.yaml:7: clusters.web.health.tcp.interval: ',
    ],
    [
      'an unknown cluster',
      SMALL.replace('cluster: web', 'cluster: wob'),
      'edge.yaml:3: vips[0].cluster: the name of a cluster (web)',
    ],
    [
      'an address that is none',
      SMALL.replace('203.0.113.10', '203.0.113.300'),
      'edge.yaml:3: vips[0].address: ',
    ],
    [
      'an endpoint that is none',
      SMALL.replace('10.0.0.2:443', '10.0.0.2'),
      'edge.yaml:6: clusters.web.discovery[1]: ',
    ],
    [
      'options about requests',
      `${SMALL}    policy: round-robin\n`,
      'edge.yaml:8: clusters.web.policy: no such option',
    ],
    [
      'an outer source of the wrong size',
      `${SMALL}outerSource: { ipv4: 10.1.2.3 }\n`,
      'edge.yaml:8: outerSource.ipv4: an IPv4 prefix of 16 bits',
    ],
    [
      'a port that no address has',
      `${SMALL}admin: { listen: "127.0.0.1:99999" }\n`,
      'edge.yaml:8: admin.listen: ',
    ],
    [
      'an aperture',
      `${SMALL}    topology: { peers: { count: 3, index: 0 }, aperture: {} }\n`,
      'edge.yaml:8: clusters.web.topology',
    ],
    [
      'a route to nowhere',
      SMALL.replace(
        'cluster: web }',
        'cluster: web, sourceRoutes: [{ sources: [10.0.0.0/8], cluster: x }] }',
      ),
      'edge.yaml:3: vips[0].sourceRoutes[0].cluster: ',
    ],
    [
      'a route of the other family',
      SMALL.replace(
        'cluster: web }',
        'cluster: web, sourceRoutes: [{ sources: ["fd00::/8"], cluster: web }] }',
      ),
      'edge.yaml:3: vips[0].sourceRoutes[0].sources[0]: an IPv4 prefix',
    ],
    [
      'limits without a guard',
      SMALL.replace('cluster: web }', 'cluster: web, limits: { packets: { perSecond: 9 } } }'),
      'edge.yaml:3: vips[0].limits: a `guard`',
    ],
    [
      'a slot that is nowhere',
      `${SMALL}next: { path: edge_next }\n`,
      'edge.yaml:8: next.path: an absolute path',
    ],
    [
      'a prefix with bits behind its length',
      `${SMALL}guard: { deny: [10.0.0.1/8] }\n`,
      'edge.yaml:8: guard.deny[0]: a prefix',
    ],
    ['no YAML', `${SMALL}  oops`, 'edge.yaml:8: : YAML'],
  ])('refuses %s, and says where', async (_what, text, said) => {
    const issues = await refused(text);
    expect(
      issues.some((issue) => issue.startsWith(said)),
      issues.join('\n'),
    ).toBe(true);
  });

  it('refuses a VIP twice, however it is written', async () => {
    const twice = SMALL.replace(
      'clusters:\n',
      '  - { address: "2001:db8::1", port: 80, cluster: web }\n  - { address: "2001:db8:0::1", port: 80, cluster: web }\nclusters:\n',
    );
    expect(await refused(twice)).toEqual(['edge.yaml:5: vips[2]: each VIP once']);
  });

  it('tells all that is wrong at once', async () => {
    const text = SMALL.replace('port: 443', 'port: 0').replace('eth0', 'a name too long for linux');
    expect((await refused(text)).length).toBe(2);
  });

  it('never shows a token', async () => {
    const text = `${SMALL}admin: { listen: "127.0.0.1:1", token: { hush: hush } }\n`;
    const issues = (await refused(text)).join();
    expect(issues).toContain('admin.token');
    expect(issues).not.toContain('hush');
  });
});

describe('the JSON Schema', () => {
  it('has the words of files, and the clusters without what is about requests', async () => {
    const text = JSON.stringify(gatewayJsonSchema());
    expect(text).toContain('"drainTimeout"');
    expect(text).not.toContain('"drainTimeoutMs"');
    expect(text).not.toContain('"outlierDetection"');
  });
});
