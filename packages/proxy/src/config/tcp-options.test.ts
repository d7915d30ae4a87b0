import { type Cluster, ConfigError } from '@evenkeel/core';
import { describe, expect, it } from 'vitest';
import type { ProxyOptions } from './options.ts';
import { decodeProxyOptions } from './proxy-config.ts';

const clusters = [{ name: 'a' } as Cluster, { name: 'b' } as Cluster];

const withListener = (listener: object): ProxyOptions =>
  ({ clusters, listeners: [{ listen: '127.0.0.1:0', ...listener }] }) as unknown as ProxyOptions;

function pathsOf(options: unknown): string[] {
  try {
    decodeProxyOptions(options as ProxyOptions);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(({ path }) => path);
  }
}

const listener = 'createProxy.listeners[0]';
const sni = (...names: string[]): object => ({ names, cluster: 'a' });

describe('the options of TCP and UDP', () => {
  it('have defaults for all but where to', () => {
    const [tcp] = decodeProxyOptions(withListener({ tcp: { cluster: 'a' } })).listeners;
    expect(tcp).toMatchObject({
      routes: [],
      tcp: {
        cluster: 'a',
        idleTimeoutMs: 300_000,
        connectTimeoutMs: 3_000,
        helloTimeoutMs: 5_000,
        retry: { attempts: 2 },
      },
    });
    const [udp] = decodeProxyOptions(withListener({ udp: { cluster: 'a' } })).listeners;
    expect(udp?.udp).toEqual({ cluster: 'a', idleTimeoutMs: 60_000, maxSessions: 10_000 });
  });

  it.each([
    ['no protocol', {}, listener],
    ['two protocols', { tcp: { cluster: 'a' }, udp: { cluster: 'a' } }, listener],
    [
      'datagrams over TLS',
      { udp: { cluster: 'a' }, tls: { certificates: [{ cert: 'x', key: 'y' }] } },
      listener,
    ],
    [
      'datagrams with the PROXY protocol',
      { udp: { cluster: 'a' }, proxyProtocol: 'required' },
      listener,
    ],
    [
      'the PROXY protocol from nobody in particular',
      { tcp: { cluster: 'a' }, proxyProtocol: 'required' },
      `${listener}.proxyProtocol`,
    ],
    [
      'names of what is decrypted',
      {
        tcp: { sni: [{ names: ['x'], cluster: 'a' }] },
        tls: { certificates: [{ cert: 'x', key: 'y' }] },
      },
      listener,
    ],
    ['nowhere to go', { tcp: {} }, `${listener}.tcp`],
    ['an unknown cluster', { tcp: { cluster: 'c' } }, `${listener}.tcp.cluster`],
    ['an unknown cluster for datagrams', { udp: { cluster: 'c' } }, `${listener}.udp.cluster`],
    [
      'an unknown cluster for a name',
      { tcp: { sni: [{ names: ['x'], cluster: 'c' }] } },
      `${listener}.tcp.sni[0].cluster`,
    ],
    ['a name twice', { tcp: { sni: [sni('x'), sni('X')] } }, `${listener}.tcp.sni`],
    [
      'a star within a name',
      { tcp: { sni: [sni('a.*.example')] } },
      `${listener}.tcp.sni[0].names[0]`,
    ],
    [
      'a name with a dot at its end',
      { tcp: { sni: [sni('a.')] } },
      `${listener}.tcp.sni[0].names[0]`,
    ],
    ['no time', { tcp: { cluster: 'a', idleTimeoutMs: 0 } }, `${listener}.tcp.idleTimeoutMs`],
    ['no sessions', { udp: { cluster: 'a', maxSessions: 0 } }, `${listener}.udp.maxSessions`],
  ])('are refused with %s', (_, options, path) => {
    expect(pathsOf(withListener(options))).toContain(path);
  });

  it('may have TLS on either side', () => {
    const tls = { certificates: [{ cert: 'x', key: 'y' }] };
    const options = {
      ...withListener({ tcp: { cluster: 'a' }, tls }),
      upstreams: { a: { tls: {} } },
    };
    expect(pathsOf(options)).toEqual([]);
  });
});
