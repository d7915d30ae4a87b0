import { type Cluster, ConfigError } from '@evenkeel/core';
import { describe, expect, it } from 'vitest';
import { decodeProxyOptions, type ProxyOptions } from './options.ts';
import { trustedNetworks } from './trusted-networks.ts';

const clusters = [{ name: 'users' } as Cluster];
const good: ProxyOptions = {
  clusters,
  listeners: [{ listen: '127.0.0.1:80', http: { routes: [{ cluster: 'users' }] } }],
};

function issuesOf(options: unknown): string[] {
  try {
    decodeProxyOptions(options as ProxyOptions);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(({ path }) => path);
  }
}

describe('the options of a proxy', () => {
  it('have defaults for all but clusters and listeners', () => {
    const config = decodeProxyOptions(good);
    expect(config.listeners[0]).toMatchObject({
      host: '127.0.0.1',
      port: 80,
      routes: [{ domains: ['*'], match: { path: { prefix: '/' } }, retry: { attempts: 2 } }],
    });
    expect(config.timeouts.headMs).toBe(10_000);
    expect(config.via).toBe('evenkeel');
  });

  it.each([
    ['[::1]:8080', '::1', 8080],
    ['0.0.0.0:0', '0.0.0.0', 0],
    ['localhost:80', 'localhost', 80],
  ])('may listen at %s', (listen, host, port) => {
    const listeners = [{ ...good.listeners[0]!, listen }];
    expect(decodeProxyOptions({ ...good, listeners }).listeners[0]).toMatchObject({ host, port });
  });

  it.each([
    ['no listener', { ...good, listeners: [] }, 'createProxy.listeners'],
    [
      'an address without a port',
      { ...good, listeners: [{ listen: '127.0.0.1', http: { routes: [] } }] },
      'createProxy.listeners[0].listen',
    ],
    [
      'an unknown cluster',
      { ...good, listeners: [{ listen: 'a:1', http: { routes: [{ cluster: 'user' }] } }] },
      'createProxy.listeners[0].http.routes[0].cluster',
    ],
    [
      'a path without a slash',
      {
        ...good,
        listeners: [
          {
            listen: 'a:1',
            http: { routes: [{ cluster: 'users', match: { path: { prefix: 'x' } } }] },
          },
        ],
      },
      'createProxy.listeners[0].http.routes[0].match.path.prefix',
    ],
    ['a negative limit', { ...good, timeouts: { headMs: -1 } }, 'createProxy.timeouts.headMs'],
    ['an unknown option', { ...good, timeout: 1 }, 'createProxy.timeout'],
    ['a name for via with a space', { ...good, via: 'a b' }, 'createProxy.via'],
  ])('are refused for %s', (_, options, path) => {
    expect(issuesOf(options)).toContain(path);
  });
});

describe('trusted networks', () => {
  it('are addresses and networks of both families', () => {
    const list = trustedNetworks(['10.0.0.0/8', '192.0.2.1', 'fd00::/8']);
    expect(list?.check('10.9.8.7')).toBe(true);
    expect(list?.check('192.0.2.1')).toBe(true);
    expect(list?.check('192.0.2.2')).toBe(false);
    expect(list?.check('fd12::1', 'ipv6')).toBe(true);
  });

  it('are none by default', () => {
    expect(trustedNetworks([])).toBeUndefined();
  });

  it.each(['10.0.0.0/33', 'example.com', '10.0.0.0/x', '', '10.0.0.0/-1'])('are not %j', (text) => {
    expect(() => trustedNetworks([text])).toThrow(ConfigError);
  });
});
