import { describe, expect, it } from 'vitest';
import { ConfigError } from '../error/config-error.ts';
import { MAX_ENDPOINTS } from '../model/endpoint-set.ts';
import { decodeEndpointList } from './endpoint-list.ts';

function issuesOf(raw: readonly unknown[]): string[] {
  try {
    decodeEndpointList(raw, 'endpoints');
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map(({ path }) => path);
    throw error;
  }
  return [];
}

describe('decodeEndpointList', () => {
  it('reads texts and objects with every field', () => {
    const full = {
      host: '::1',
      port: 8080,
      id: 'a',
      weight: 0,
      priority: 127,
      locality: { region: 'eu', zone: 'eu-1' },
      metadata: { version: 'v2' },
      hashKey: 'k',
      hostname: 'a.internal',
    };
    const set = decodeEndpointList(['10.0.0.1:80', full, { unix: '/run/a.sock' }], 'endpoints');
    expect(set.endpoints.map(({ id }) => id)).toEqual(['10.0.0.1:80', 'a', 'unix:/run/a.sock']);
    expect(set.byId.get('a')).toMatchObject({
      address: { kind: 'ip', host: '::1', port: 8080 },
      weight: 0,
      priority: 127,
      locality: { region: 'eu', zone: 'eu-1', subzone: '' },
      metadata: { version: 'v2' },
      hashKey: 'k',
      hostname: 'a.internal',
    });
  });

  it.each([
    { what: 'an unknown key', raw: { address: '10.0.0.1:80', wieght: 3 }, path: '.wieght' },
    { what: 'a weight below 0', raw: { address: '10.0.0.1:80', weight: -1 }, path: '.weight' },
    { what: 'a weight as text', raw: { address: '10.0.0.1:80', weight: '3' }, path: '.weight' },
    {
      what: 'a priority of 128',
      raw: { address: '10.0.0.1:80', priority: 128 },
      path: '.priority',
    },
    { what: 'port 0', raw: { host: '10.0.0.1', port: 0 }, path: '.port' },
    { what: 'no port', raw: { host: '10.0.0.1' }, path: '.port' },
    { what: 'two addresses', raw: { host: 'a', port: 1, unix: '/x' }, path: '' },
    { what: 'a number', raw: 7, path: '' },
    { what: 'null', raw: null, path: '' },
    { what: 'a bad host', raw: 'a b:80', path: '' },
    {
      what: 'a zone of another type',
      raw: { address: 'a:1', locality: { zone: 1 } },
      path: '.locality.zone',
    },
    {
      what: 'a label that is no text',
      raw: { address: 'a:1', metadata: { x: 1 } },
      path: '.metadata.x',
    },
  ])('refuses $what and names the place', ({ raw, path }) => {
    expect(issuesOf(['10.9.9.9:80', raw])).toEqual([`endpoints[1]${path}`]);
  });

  it('names all wrong entries, but not more than ten', () => {
    expect(issuesOf([7, 'a:1', 8])).toEqual(['endpoints[0]', 'endpoints[2]']);
    expect(issuesOf(Array.from({ length: 5_000 }, () => 7))).toHaveLength(10);
    const keys = (count: number): object =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 1]));
    expect(issuesOf([{ address: 'a:1', ...keys(63) }])).toHaveLength(10);
    expect(issuesOf([{ address: 'a:1', ...keys(200_000) }])).toEqual(['endpoints[0]']);
  });

  it('refuses an identity that stands in the list twice, however it is written', () => {
    expect(() =>
      decodeEndpointList(['[::1]:80', { host: '0:0:0:0:0:0:0:1', port: 80 }], 'endpoints'),
    ).toThrow('endpoints[1]: expected an id not used before (see endpoints[0]), got "[::1]:80"');
    expect(issuesOf(['a:1', { address: 'b:1', id: 'a:1' }])).toEqual(['endpoints[1]']);
  });

  it('refuses more endpoints than a set may hold', () => {
    const many = Array.from({ length: MAX_ENDPOINTS + 1 }, () => 'a:1');
    expect(issuesOf(many)).toEqual(['endpoints']);
  });
});
