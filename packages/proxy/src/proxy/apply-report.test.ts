import type { Cluster } from '@evenkeel/core';
import { describe, expect, it } from 'vitest';
import type { ListenerOptions, ProxyOptions } from '../config/options.ts';
import { decodeProxyOptions } from '../config/proxy-config.ts';
import { reportChanges } from './apply-report.ts';

const web = { name: 'web' } as Cluster;
const other = { name: 'other' } as Cluster;

const toWeb = (...paths: string[]): ListenerOptions['http'] => ({
  routes: paths.map((exact) => ({ match: { path: { exact } }, cluster: 'web' })),
});

const report = (from: ProxyOptions | undefined, to: ProxyOptions) =>
  reportChanges(from && decodeProxyOptions(from), decodeProxyOptions(to));

const base: ProxyOptions = {
  clusters: [web],
  listeners: [{ listen: '127.0.0.1:80', http: toWeb('/a', '/b') }],
};

describe('the report of a change', () => {
  it('says of the first configuration that all is new', () => {
    expect(report(undefined, base)).toEqual({
      listeners: { added: ['http 127.0.0.1:80'], changed: [], kept: [], removed: [] },
      routes: {
        added: ['http 127.0.0.1:80 /a', 'http 127.0.0.1:80 /b'],
        changed: [],
        kept: [],
        removed: [],
      },
      clusters: { added: ['web'], changed: [], kept: [], removed: [] },
      settings: [],
    });
  });

  it('compares what was written, not the objects that hold it', () => {
    const again: ProxyOptions = {
      clusters: [web],
      listeners: [{ listen: '127.0.0.1:80', http: toWeb('/a', '/b') }],
    };
    const { listeners, routes, clusters, settings } = report(base, again);
    expect(listeners.kept).toEqual(['http 127.0.0.1:80']);
    expect(routes.kept).toHaveLength(2);
    expect(clusters.kept).toEqual(['web']);
    expect(settings).toEqual([]);
  });

  it('names routes that came, went, and are not what they were', () => {
    const to: ProxyOptions = {
      clusters: [web],
      listeners: [
        {
          listen: '127.0.0.1:80',
          http: {
            routes: [
              { match: { path: { exact: '/b' } }, respond: { status: 204 } },
              { match: { path: { exact: '/c' } }, cluster: 'web' },
            ],
          },
        },
      ],
    };
    const { listeners, routes } = report(base, to);
    expect(listeners.changed).toEqual(['http 127.0.0.1:80']);
    expect(routes).toEqual({
      added: ['http 127.0.0.1:80 /c'],
      changed: ['http 127.0.0.1:80 /b'],
      kept: [],
      removed: ['http 127.0.0.1:80 /a'],
    });
  });

  it('numbers what has one name, so that it can be told apart', () => {
    const free: ListenerOptions = { listen: '127.0.0.1:0', http: toWeb('/a', '/a') };
    const { listeners, routes } = report(undefined, { clusters: [web], listeners: [free, free] });
    expect(listeners.added).toEqual(['http 127.0.0.1:0', 'http 127.0.0.1:0 (2)']);
    expect(routes.added).toEqual([
      'http 127.0.0.1:0 /a',
      'http 127.0.0.1:0 /a (2)',
      'http 127.0.0.1:0 (2) /a',
      'http 127.0.0.1:0 (2) /a (2)',
    ]);
  });

  it.each<[string, Partial<ListenerOptions>]>([
    ['tcp', { http: undefined, tcp: { cluster: 'web' } }],
    ['udp', { http: undefined, udp: { cluster: 'web' } }],
    ['http+proxy', { proxyProtocol: 'required' }],
    ['https', { tls: { certificates: [{ cert: 'c', key: 'k' }] } }],
  ])('takes a listener that is %s now for another one', (kind, changed) => {
    const to: ProxyOptions = {
      clusters: [web],
      trustedProxies: ['10.0.0.1'],
      listeners: [{ listen: '127.0.0.1:80', http: toWeb('/a', '/b'), ...changed }],
    };
    const { listeners, settings } = report(base, to);
    expect(listeners.removed).toEqual(['http 127.0.0.1:80']);
    expect(listeners.added).toEqual([`${kind} 127.0.0.1:80`]);
    expect(settings).toEqual(['trustedProxies']);
  });

  it('tells clusters apart by what they are, and by the way to them', () => {
    const to: ProxyOptions = { ...base, clusters: [{ name: 'web' } as Cluster, other] };
    expect(report(base, to).clusters).toEqual({
      added: ['other'],
      changed: ['web'],
      kept: [],
      removed: [],
    });
    const secure: ProxyOptions = { ...base, upstreams: { web: { tls: {} } } };
    expect(report(base, secure).clusters.changed).toEqual(['web']);
    expect(report(secure, secure).clusters.kept).toEqual(['web']);
  });

  it('names the other options that are different', () => {
    const to: ProxyOptions = { ...base, timeouts: { headMs: 1 }, via: false };
    expect(report(base, to).settings).toEqual(['timeouts', 'via']);
    expect(report(to, base).settings).toEqual(['timeouts', 'via']);
    expect(report(to, { ...to, timeouts: { headMs: 1 } }).settings).toEqual([]);
  });
});
