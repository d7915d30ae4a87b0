import { describe, expect, it } from 'vitest';
import { decodeProxyFile } from '../config/file/decode-proxy-file.ts';
import { BodyRefusal } from './filter.ts';
import { FILTER_KIND_NAMES, FILTER_KINDS } from './registry.ts';

const file = (filters: unknown, route: object = {}): unknown => ({
  clusters: { web: { discovery: ['127.0.0.1:1'] }, auth: { discovery: ['127.0.0.1:2'] } },
  listeners: [{ listen: '127.0.0.1:0', http: { filters, routes: [{ cluster: 'web', ...route }] } }],
});

describe('filters in a file', () => {
  it('are those of code, with durations that say their unit', () => {
    const { options } = decodeProxyFile(
      file([
        { jwt: { jwksUrl: 'https://id/keys', issuer: 'id', audience: 'api', refresh: '5m' } },
        { externalAuthorization: { cluster: 'auth', timeout: '250ms' }, onError: 'open' },
        { tarpit: { delay: '2s' } },
        { module: { path: 'a.ts', timeout: '1s', options: { limitMs: 5, anything: ['x'] } } },
      ]),
    );
    const filters = options.listeners[0]?.http?.filters;
    expect(filters).toEqual([
      { jwt: { jwksUrl: 'https://id/keys', issuer: 'id', audience: 'api', refreshMs: 300_000 } },
      { externalAuthorization: { cluster: 'auth', timeoutMs: 250 }, onError: 'open' },
      { tarpit: { delayMs: 2_000 } },
      { module: { path: 'a.ts', timeoutMs: 1_000, options: { limitMs: 5, anything: ['x'] } } },
    ]);
  });

  it.each([
    [file([{ tarpit: { delayMs: 5 } }]), 'listeners[0].http.filters[0].tarpit.delayMs'],
    [
      file([{ externalAuthorization: { cluster: 'nobody' } }]),
      'filters[0].externalAuthorization.cluster',
    ],
    [file([], { skipFilters: ['jwt'] }), 'listeners[0].http.routes[0].skipFilters[0]'],
    [file([], { filters: [{ cors: {} }] }), 'listeners[0].http.routes[0].filters[0].cors.origins'],
  ])('%# are refused with their place', (raw, message) => {
    expect(() => decodeProxyFile(raw)).toThrow(message);
  });
});

describe('the registry', () => {
  it('has each kind under its own name, with a sentence about it', () => {
    for (const name of FILTER_KIND_NAMES) {
      expect(FILTER_KINDS[name].name).toBe(name);
      expect(FILTER_KINDS[name].about).toMatch(/^[A-Z].*\.$/);
    }
  });
});

describe('a refusal of a body', () => {
  it('is known by its mark, also one of another copy of the package', () => {
    expect(new BodyRefusal(413, 'x')).toBeInstanceOf(BodyRefusal);
    expect({ [Symbol.for('evenkeel.body-refusal')]: true }).toBeInstanceOf(BodyRefusal);
    for (const other of [new Error('x'), { status: 413 }, null, undefined, 'x']) {
      expect(other instanceof BodyRefusal).toBe(false);
    }
  });
});
