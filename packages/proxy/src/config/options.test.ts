import { type Cluster, ConfigError } from '@evenkeel/core';
import { describe, expect, it } from 'vitest';
import type { ProxyOptions } from './options.ts';
import { decodeProxyOptions } from './proxy-config.ts';

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
      routes: [{ domains: ['*'], path: { kind: 'prefix', path: '/' }, retry: { attempts: 2 } }],
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
    [
      'a route for no source',
      {
        ...good,
        listeners: [
          { listen: 'a:1', http: { routes: [{ cluster: 'users', match: { sources: [] } }] } },
        ],
      },
      'createProxy.listeners[0].http.routes[0].match.sources',
    ],
    ['a name for via with a space', { ...good, via: 'a b' }, 'createProxy.via'],
  ])('are refused for %s', (_, options, path) => {
    expect(issuesOf(options)).toContain(path);
  });
});

describe('trusted proxies', () => {
  const trusting = (...trustedProxies: string[]): ProxyOptions => ({ ...good, trustedProxies });

  it('are addresses and networks of both families', () => {
    const { trustedProxies: list } = decodeProxyOptions(
      trusting('10.0.0.0/8', '192.0.2.1', 'fd00::/8'),
    );
    expect(list?.has('10.9.8.7')).toBe(true);
    expect(list?.has('192.0.2.1')).toBe(true);
    expect(list?.has('192.0.2.2')).toBe(false);
    expect(list?.has('fd12::1')).toBe(true);
  });

  it('are none by default', () => {
    expect(decodeProxyOptions(good).trustedProxies).toBeUndefined();
    expect(decodeProxyOptions(trusting()).trustedProxies).toBeUndefined();
  });

  it.each(['10.0.0.0/33', 'example.com', '10.0.0.0/x', '', '10.0.0.0/-1', 'fe80::1%eth0'])(
    'are not %j',
    (text) => {
      expect(issuesOf(trusting(text))).toEqual(['createProxy.trustedProxies[0]']);
    },
  );
});

describe('the addresses of listeners', () => {
  const on = (listen: string, layer: 'http' | 'udp' = 'http'): unknown =>
    layer === 'http' ? { listen, http: { routes: [] } } : { listen, udp: { cluster: 'users' } };

  it('may be used once for connections and once for datagrams, and any free port as often as one likes', () => {
    const listeners = [
      on('127.0.0.1:53'),
      on('127.0.0.1:53', 'udp'),
      on('127.0.0.1:0'),
      on('127.0.0.1:0'),
    ];
    expect(issuesOf({ clusters, listeners })).toEqual([]);
  });

  it('may not be used twice', () => {
    const listeners = [on('[::1]:80'), on('127.0.0.1:80'), on('[::1]:80')];
    expect(issuesOf({ clusters, listeners })).toEqual(['createProxy.listeners[2].listen']);
  });

  it.each(['127.0.0.1', ':80', 'a:65536', '::1:80'])('may not be %j', (listen) => {
    expect(issuesOf({ clusters, listeners: [on(listen)] })).toEqual([
      'createProxy.listeners[0].listen',
    ]);
  });
});

describe('the options of a route', () => {
  const issuesOfRoute = (route: unknown): string[] =>
    issuesOf({ ...good, listeners: [{ listen: 'a:1', http: { routes: [route] } }] }).map((path) =>
      path.replace('createProxy.listeners[0].http.routes[0]', 'route'),
    );

  it.each([
    ['a cluster', { cluster: 'users', subset: { v: '1' }, rewrite: { prefix: '/' } }],
    ['a split', { split: [{ cluster: 'users', weight: 1 }], stickyBy: { cookie: 'u' } }],
    ['a redirect', { redirect: { scheme: 'https' } }],
    ['a response', { respond: { status: 204 }, match: { methods: ['GET'] } }],
    ['conditions', { cluster: 'users', match: { headers: { 'X-A': { present: false } } } }],
  ])('may be %s', (_, route) => {
    expect(issuesOfRoute(route)).toEqual([]);
  });

  it.each([
    ['no action', {}, 'route'],
    ['two actions', { cluster: 'users', respond: { status: 200 } }, 'route'],
    ['an unknown cluster', { split: [{ cluster: 'x', weight: 1 }] }, 'route.split[0].cluster'],
    ['no weight', { split: [{ cluster: 'users', weight: 0 }] }, 'route.split'],
    [
      'equal sides',
      {
        split: [
          { cluster: 'users', weight: 1 },
          { cluster: 'users', weight: 2 },
        ],
      },
      'route.split',
    ],
    ['a key without a split', { cluster: 'users', stickyBy: { path: true } }, 'route.stickyBy'],
    ['a redirect to itself', { redirect: { status: 301 } }, 'route.redirect'],
    ['a redirect to //', { redirect: { path: '//evil.example' } }, 'route.redirect.path'],
    [
      'a host that ends the line',
      { redirect: { host: 'a\r\nset-cookie: x' } },
      'route.redirect.host',
    ],
    ['a status of 100', { respond: { status: 100 } }, 'route.respond.status'],
    [
      'a header that frames',
      { respond: { status: 200, headers: { 'Content-Length': '1' } } },
      'route.respond.headers.Content-Length',
    ],
    [
      'a header that ends the line',
      { respond: { status: 200, headers: { a: 'b\r\nc: d' } } },
      'route.respond.headers.a',
    ],
    ['an empty rewrite', { cluster: 'users', rewrite: {} }, 'route.rewrite'],
    [
      'a rewrite of nothing',
      { respond: { status: 200 }, rewrite: { prefix: '/' } },
      'route.rewrite',
    ],
    [
      'two conditions on a header',
      { cluster: 'users', match: { headers: { a: { exact: 'b', present: true } } } },
      'route.match.headers.a',
    ],
    [
      'two kinds of path',
      { cluster: 'users', match: { path: { exact: '/a', prefix: '/a' } } },
      'route.match.path',
    ],
    [
      'a template with a parameter inside a segment',
      { cluster: 'users', match: { path: { template: '/a{b}' } } },
      'route.match.path.template',
    ],
    [
      'an expression that looks ahead',
      { cluster: 'users', match: { path: { regex: '/(?=a)' } } },
      'route.match.path.regex',
    ],
    [
      'a cookie with a space in its name',
      { cluster: 'users', match: { cookies: { 'a b': { present: true } } } },
      'route.match.cookies.a b',
    ],
    [
      'a network with too many bits',
      { cluster: 'users', match: { sources: ['10.0.0.0/8', '10.0.0.0/33'] } },
      'route.match.sources[1]',
    ],
    ['no method', { cluster: 'users', match: { methods: [] } }, 'route.match.methods'],
  ])('are refused for %s', (_, route, path) => {
    expect(issuesOfRoute(route)).toContain(path);
  });
});

describe('the options of the access log', () => {
  it.each([
    [{ format: '%{nothing}' }, 'createProxy.accessLog.format'],
    [{ format: 'json', fields: ['nothing'] }, 'createProxy.accessLog.fields'],
    [{ format: '%{path}', fields: ['path'] }, 'createProxy.accessLog.fields'],
    [{ format: 'a\nb' }, 'createProxy.accessLog.format'],
    [{ format: 'json', sampleRatio: 2 }, 'createProxy.accessLog.sampleRatio'],
    [{ format: 'json', write: 'stdout' }, 'createProxy.accessLog.write'],
  ])('are refused: %j', (accessLog, path) => {
    expect(issuesOf({ ...good, accessLog })).toContain(path);
  });
});
