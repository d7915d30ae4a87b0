import { type Cluster, ConfigError } from '@evenkeel/core';
import { describe, expect, it } from 'vitest';
import type { HttpOptions, ProxyOptions, UpstreamOptions } from './options.ts';
import { decodeProxyOptions, type ProxyConfig } from './proxy-config.ts';

function configOf(http2: HttpOptions['http2'], upstream?: UpstreamOptions['http2']): ProxyConfig {
  const options: ProxyOptions = {
    clusters: [{ name: 'users' } as Cluster],
    upstreams: { users: { http2: upstream } },
    listeners: [{ listen: 'a:1', http: { http2, routes: [{ cluster: 'users' }] } }],
  };
  return decodeProxyOptions(options);
}

function pathOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof ConfigError ? error.issues[0]?.path : 'another error';
  }
}

const LIMITS = {
  maxConcurrentStreams: 100,
  streamWindowBytes: 262_144,
  connectionWindowBytes: 1_048_576,
  maxResetsPerSecond: 100,
};

describe('the options of HTTP/2', () => {
  it.each([
    [undefined, LIMITS],
    [true, LIMITS],
    [{}, LIMITS],
    [{ maxConcurrentStreams: 7 }, { ...LIMITS, maxConcurrentStreams: 7 }],
    [false, undefined],
  ])('of a listener: %j', (given, expected) => {
    expect(configOf(given).listeners[0]?.http2).toEqual(expected);
  });

  it('decide about what TLS offers', () => {
    const certificates = [{ certFile: 'a', keyFile: 'b' }];
    const offered = [true, false].map((http2) => {
      const listener = { listen: 'a:1', tls: { certificates }, http: { http2, routes: [] } };
      return decodeProxyOptions({ clusters: [], listeners: [listener] }).listeners[0]?.tls;
    });
    expect(offered.map((tls) => tls?.speaksHttp2)).toEqual([true, false]);
  });

  it.each([
    [true, 'always', 100],
    ['auto', 'auto', 100],
    [{ mode: 'auto', maxStreamsPerConnection: 5 }, 'auto', 5],
    [{}, 'always', 100],
  ] as const)('of a cluster: %j', (given, mode, maxStreamsPerConnection) => {
    expect(configOf(undefined, given).upstreamHttp2.get('users')).toEqual({
      mode,
      maxStreamsPerConnection,
      maxConnectionsPerEndpoint: 8,
      pingMs: 30_000,
    });
  });

  it.each([undefined, false])('of a cluster that speaks HTTP/1.1: %j', (given) => {
    expect(configOf(undefined, given).upstreamHttp2.size).toBe(0);
  });

  it.each([
    [() => configOf('yes' as never), 'createProxy.listeners[0].http.http2'],
    [() => configOf({ maxConcurrentStreams: 0 }), 'createProxy.listeners[0].http.http2'],
    [() => configOf(true, 'h2' as never), 'createProxy.upstreams.users.http2'],
    [() => configOf(true, { pingMs: 1 }), 'createProxy.upstreams.users.http2'],
  ])('are refused where they are wrong', (run, path) => {
    expect(pathOf(run)?.startsWith(path)).toBe(true);
  });
});
