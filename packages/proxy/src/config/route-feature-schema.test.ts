import { decode } from '@evenkeel/core/schema';
import { describe, expect, it } from 'vitest';
import type { RouteOptions } from './route-options.ts';
import { clustersOf, type RouteConfig, routeSchema } from './route-schema.ts';

const routeOf = (options: RouteOptions): RouteConfig => decode(routeSchema, options, 'route');

describe('features of a route', () => {
  it('are all off unless they are named', () => {
    expect(routeOf({ cluster: 'a' }).features).toEqual({
      mirror: undefined,
      hedge: undefined,
      bufferBytes: undefined,
      failover: [],
      maxBodyBytes: undefined,
      fault: undefined,
    });
  });

  it('name the clusters that have to be there', () => {
    const route = routeOf({
      cluster: 'a',
      failover: ['b', 'c'],
      mirror: { cluster: 'd' },
      fault: { abort: { status: 503 }, header: 'X-Fault' },
    });
    expect(clustersOf(route).map(({ at, cluster }) => `${at} ${cluster}`)).toEqual([
      'cluster a',
      'failover[0] b',
      'failover[1] c',
      'mirror.cluster d',
    ]);
    expect(route.features.mirror).toEqual({ cluster: 'd', percent: 100, maxBytes: 65_536 });
    expect(route.features.fault?.header).toBe('x-fault');
  });

  it.each<[RouteOptions, string]>([
    [{ cluster: 'a', buffer: { maxBytes: 0 } }, 'route.buffer.maxBytes'],
    [{ cluster: 'a', fault: {} }, 'route.fault'],
    [{ cluster: 'a', fault: { delay: { durationMs: 0 } } }, 'route.fault.delay.durationMs'],
    [{ cluster: 'a', mirror: { cluster: 'b', percent: 101 } }, 'route.mirror.percent'],
    [{ cluster: 'a', failover: Array.from({ length: 9 }, () => 'b') }, 'route.failover'],
    [{ cluster: 'a', maxBodyBytes: -1 }, 'route.maxBodyBytes'],
    [{ respond: { status: 200 }, hedge: {} }, 'where no request is passed on'],
    [{ respond: { status: 200 }, failover: ['b'] }, 'where no request is passed on'],
  ])('%j are refused', (options, text) => {
    expect(() => routeOf(options)).toThrow(text);
  });
});
