import { ConfigError } from '@evenkeel/core';
import { ConfigDocument } from '@evenkeel/core/config';
import { describe, expect, it } from 'vitest';
import { type DecodedProxyFile, decodeProxyFile } from './decode-proxy-file.ts';

async function decode(text: string): Promise<DecodedProxyFile> {
  const document = await ConfigDocument.read(text, { name: 'sidecar.yaml', format: 'yaml' });
  try {
    return decodeProxyFile(document.value);
  } catch (error) {
    throw error instanceof ConfigError ? document.locate(error) : error;
  }
}

const CLUSTERS = `clusters:
  users:
    discovery: ['10.0.0.1:80']
`;

describe('a file of a proxy', () => {
  it('may say where the admin address is', async () => {
    const rest = `${CLUSTERS}listeners: [{ listen: '127.0.0.1:80', tcp: { cluster: users } }]\n`;
    const { admin, options } = await decode(`${rest}admin: { listen: '127.0.0.1:9901' }\n`);
    expect(admin).toEqual({ listen: '127.0.0.1:9901' });
    expect(options).not.toHaveProperty('admin');
    expect((await decode(rest)).admin).toBeUndefined();
    await expect(decode(`${rest}admin: { listen: '0.0.0.0:9901' }\n`)).rejects.toThrow(
      'sidecar.yaml:5:8 admin.token: expected a token, because the address is not on loopback',
    );
  });

  it('has the words of the code, but for durations and the names of clusters', async () => {
    const { clusters, options } = await decode(`
clusters:
  users:
    discovery: { file: { path: users.yaml, pollInterval: 1m } }
    health: { http: { path: /healthz, interval: 5s } }
listeners:
  - listen: 127.0.0.1:8080
    http:
      routes:
        - match: { path: { prefix: /v2/ } }
          split:
            - { cluster: users, subset: { version: v2 }, weight: 5 }
            - { cluster: users, weight: 95 }
        - cluster: users
          timeout: 2s
          retry: { attempts: 2 }
  - listen: 127.0.0.1:5432
    tcp: { cluster: users, idleTimeout: 1h }
timeouts: { head: 5s, request: 1m30s }
limits: { maxClients: 10 }
trustedProxies: [10.0.0.0/8]
accessLog: { format: json }
upstreams: { users: {} }
`);
    expect([...clusters]).toEqual([
      [
        'users',
        {
          name: 'users',
          discovery: { file: { path: 'users.yaml', pollIntervalMs: 60_000 } },
          health: { http: { path: '/healthz', intervalMs: 5_000 } },
        },
      ],
    ]);
    expect(options).toEqual({
      listeners: [
        {
          listen: '127.0.0.1:8080',
          http: {
            routes: [
              {
                match: { path: { prefix: '/v2/' } },
                split: [
                  { cluster: 'users', subset: { version: 'v2' }, weight: 5 },
                  { cluster: 'users', weight: 95 },
                ],
              },
              { cluster: 'users', timeoutMs: 2_000, retry: { attempts: 2 } },
            ],
          },
        },
        { listen: '127.0.0.1:5432', tcp: { cluster: 'users', idleTimeoutMs: 3_600_000 } },
      ],
      timeouts: { headMs: 5_000, requestMs: 90_000 },
      limits: { maxClients: 10 },
      trustedProxies: ['10.0.0.0/8'],
      accessLog: { format: 'json' },
      upstreams: { users: {} },
    });
  });

  it.each<[string, string, string]>([
    [
      'a value out of range',
      `${CLUSTERS}listeners:
  - listen: 127.0.0.1:80
    http:
      routes:
        - split:
            - { cluster: users, weight: -1 }
`,
      'sidecar.yaml:9:41 listeners[0].http.routes[0].split[0].weight: expected an integer from 0 to 1000000, got -1',
    ],
    [
      'a bare number for a duration',
      `${CLUSTERS}listeners: [{ listen: 'a:1', http: { routes: [] } }]
timeouts:
  head: 5000
`,
      'sidecar.yaml:6:9 timeouts.head: expected a duration such as 5s or 100ms, from 1ms to 24h, got 5000',
    ],
    [
      'a name of the code',
      `${CLUSTERS}listeners: [{ listen: 'a:1', http: { routes: [] } }]
timeouts:
  headMs: 5000
`,
      "sidecar.yaml:6:3 timeouts.headMs: expected no such option; did you mean 'head'?",
    ],
    [
      'an unknown option',
      `${CLUSTERS}listeners:
  - listen: 127.0.0.1:80
    htp: { routes: [] }
`,
      "sidecar.yaml:6:5 listeners[0].htp: expected no such option; did you mean 'http'?",
    ],
    [
      'something that is missing',
      `${CLUSTERS}listeners:
  - http: { routes: [] }
`,
      'sidecar.yaml:5:5 listeners[0].listen: expected an address and a port, 127.0.0.1:8080, got nothing',
    ],
    [
      'a rule across options',
      `${CLUSTERS}listeners:
  - listen: 127.0.0.1:80
`,
      'sidecar.yaml:5:5 listeners[0]: expected one of http, tcp and udp',
    ],
    [
      'an unknown cluster',
      `${CLUSTERS}listeners:
  - listen: 127.0.0.1:80
    http:
      routes:
        - cluster: user
`,
      'sidecar.yaml:8:20 listeners[0].http.routes[0].cluster: expected the name of one of the clusters (users), got user',
    ],
    [
      'the options of a cluster',
      `clusters:
  users:
    discovery: ['10.0.0.1']
listeners: [{ listen: 'a:1', http: { routes: [] } }]
`,
      "sidecar.yaml:3:17 clusters.users.discovery[0]: expected 'host:port', '[ipv6]:port' or 'unix:/path'",
    ],
    [
      'the name of a cluster',
      `clusters:
  Users: { discovery: ['10.0.0.1:80'] }
listeners: [{ listen: 'a:1', http: { routes: [] } }]
`,
      'sidecar.yaml:2:10 clusters.Users: expected a host name in lower case',
    ],
    ['an empty file', '', 'sidecar.yaml:1:1 config: expected an object with '],
    ['a list', '- a', 'sidecar.yaml:1:1 config: expected an object with '],
    [
      'clusters as a list',
      `clusters: [users]
listeners: [{ listen: 'a:1', http: { routes: [] } }]
`,
      'sidecar.yaml:1:11 clusters: expected clusters by their names',
    ],
  ])('is refused for %s, with its place', async (_, text, message) => {
    const refused = decode(text);
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(message);
  });

  it('tells everything that is wrong, in all parts', async () => {
    const text = `clusters:
  a: { discovery: 7 }
  b: { discovery: ['10.0.0.1:80'], polcy: random }
listeners: []
via: 'x y'
`;
    const error = (await decode(text).catch((caught: unknown) => caught)) as ConfigError;
    expect(error.issues.map(({ path }) => path)).toEqual([
      'sidecar.yaml:4:12 listeners',
      'sidecar.yaml:5:6 via',
      'sidecar.yaml:2:19 clusters.a.discovery',
      'sidecar.yaml:3:36 clusters.b.polcy',
    ]);
  });

  it('cannot hold what only code can', async () => {
    const text = `${CLUSTERS}listeners: [{ listen: 'a:1', http: { routes: [] } }]
accessLog: { format: json, write: stdout }
`;
    await expect(decode(text)).rejects.toThrow(
      'sidecar.yaml:5:28 accessLog.write: expected no such',
    );
  });

  it('never shows a secret', async () => {
    const text = `${CLUSTERS}listeners:
  - listen: 127.0.0.1:443
    http: { routes: [] }
    tls: { certificates: [{ cert: [s3cr3t], key: [s3cr3t] }] }
`;
    const error = (await decode(text).catch((caught: unknown) => caught)) as ConfigError;
    expect(error.message).toContain('sidecar.yaml:7:');
    expect(error.message).not.toContain('s3cr3t');
  });
});
