import { ConfigError } from '@evenkeel/core';
import { consulSource } from '@evenkeel/core/consul';
import { describe, expect, it } from 'vitest';
import { decodeGatewayFile, gatewayJsonSchema } from './decode-file.ts';

const SMALL = `interface: eth0
vips:
  - { address: 203.0.113.10, port: 443, cluster: web }
clusters:
  web:
    discovery: ["10.0.0.1:443", "10.0.0.2:443"]
    health: { tcp: { interval: 1s } }
`;

const decode = (text: string): ReturnType<typeof decodeGatewayFile> =>
  decodeGatewayFile(text, { name: 'edge.yaml', sources: [consulSource] });

function refused(text: string): readonly string[] {
  try {
    decode(text);
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.issues.map(({ path, expected }) => `${path}: ${expected}`);
    }
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a gateway file', () => {
  it('needs an interface, VIPs and clusters, and has a default for everything else', () => {
    const config = decode(SMALL);
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

  it('makes endpoints wait for their first check, unless it says otherwise', () => {
    expect(decode(SMALL).clusters.get('web')?.health?.tcp?.initial).toBe('unchecked');
    const told = decode(SMALL.replace('interval: 1s', 'interval: 1s, initial: healthy'));
    expect(told.clusters.get('web')?.health?.tcp?.initial).toBe('healthy');
  });

  it('reads durations with their units', () => {
    const config = decode(SMALL.replace('cluster: web }', 'cluster: web, drainTimeout: 1m30s }'));
    expect(config.vips[0]?.drainTimeoutMs).toBe(90_000);
  });

  it('takes lists of interfaces, and kinds of discovery from other entries', () => {
    expect(decode(SMALL.replace('eth0', '[eth0, eth1]')).interfaces).toEqual(['eth0', 'eth1']);
    const consul = SMALL.replace(/discovery: .*/u, 'discovery: { consul: { service: web } }');
    expect(decode(consul).clusters.has('web')).toBe(true);
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
    ['no YAML', `${SMALL}  oops`, 'edge.yaml:8: YAML'],
  ])('refuses %s, and says where', (_what, text, said) => {
    expect(
      refused(text).some((issue) => issue.startsWith(said)),
      refused(text).join('\n'),
    ).toBe(true);
  });

  it('refuses a VIP twice, however it is written', () => {
    const twice = SMALL.replace(
      'clusters:\n',
      '  - { address: "2001:db8::1", port: 80, cluster: web }\n  - { address: "2001:db8:0::1", port: 80, cluster: web }\nclusters:\n',
    );
    expect(refused(twice)).toEqual(['edge.yaml:5: vips[2]: each VIP once']);
  });

  it('tells all that is wrong at once', () => {
    const text = SMALL.replace('port: 443', 'port: 0').replace('eth0', 'a name too long for linux');
    expect(refused(text).length).toBe(2);
  });

  it('never shows a token', () => {
    const text = `${SMALL}admin: { listen: "127.0.0.1:1", token: { hush: hush } }\n`;
    expect(() => decode(text)).toThrow(/admin\.token/u);
    expect(() => decode(text)).not.toThrow(/hush/u);
  });
});

describe('the JSON Schema', () => {
  it('has the words of files, and the clusters without what is about requests', () => {
    const text = JSON.stringify(gatewayJsonSchema());
    expect(text).toContain('"drainTimeout"');
    expect(text).not.toContain('"drainTimeoutMs"');
    expect(text).not.toContain('"outlierDetection"');
  });
});
