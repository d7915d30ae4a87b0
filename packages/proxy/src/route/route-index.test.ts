import { describe, expect, it } from 'vitest';
import { CidrSet } from '../address/cidr-set.ts';
import type { Route, RouteRequest } from '../engine/route.ts';
import { routeRequest } from '../engine/test-support/route-request.ts';
import { type ConditionParts, Conditions } from './conditions.ts';
import type { PathMatch } from './path-index.ts';
import { RouteIndex } from './route-index.ts';
import { SafeRegex } from './safe-regex.ts';

/** Routes are told apart by their name; the index never looks into them. */
const route = (name: string): Route => ({ name }) as unknown as Route;
const nameOf = (found: Route | undefined): string | undefined =>
  (found as unknown as { name: string } | undefined)?.name;

const get = (host: string, path: string): RouteRequest =>
  routeRequest(`GET ${path}\nhost: ${host}`);

function index(...rules: readonly (readonly [string, PathMatch['kind'], string])[]): RouteIndex {
  return new RouteIndex(
    rules.map(([domain, kind, path]) => ({
      domain,
      match: { kind, path },
      route: route(`${domain} ${kind} ${path}`),
    })),
  );
}

describe('a route', () => {
  const routes = index(
    ['*', 'prefix', '/'],
    ['a.example', 'prefix', '/'],
    ['a.example', 'prefix', '/api/'],
    ['a.example', 'prefix', '/api/v2/'],
    ['a.example', 'exact', '/api/v2/'],
    ['*.example', 'prefix', '/'],
    ['*.b.example', 'exact', '/only'],
  );

  it.each([
    ['a.example', '/x', 'a.example prefix /'],
    ['A.Example:8080', '/x', 'a.example prefix /'],
    ['a.example.', '/x', 'a.example prefix /'],
    ['a.example', '/api', 'a.example prefix /'],
    ['a.example', '/api/v1', 'a.example prefix /api/'],
    ['a.example', '/api/v2/x', 'a.example prefix /api/v2/'],
    ['a.example', '/api/v2/', 'a.example exact /api/v2/'],
    ['x.example', '/', '*.example prefix /'],
    ['x.y.example', '/', '*.example prefix /'],
    ['example', '/', '* prefix /'],
    ['x.b.example', '/only', '*.b.example exact /only'],
    ['', '/', '* prefix /'],
    ['[::1]:80', '/', '* prefix /'],
  ])('of %s%s is %s', (host, path, name) => {
    expect(nameOf(routes.find(get(host, path)))).toBe(name);
  });

  it.each([
    ['/users/me', '* exact /users/me'],
    ['/users/7', '* template /users/{id}'],
    ['/users/7/x', '* regex /users/[0-9]+/.*'],
    ['/users/seven/x', '* prefix /users/'],
    ['/users/', '* prefix /users/'],
    ['/else', '* prefix /'],
  ])('of the path %s is the most specific: %s', (path, name) => {
    const mixed = index(
      ['*', 'prefix', '/'],
      ['*', 'prefix', '/users/'],
      ['*', 'regex', '/users/[0-9]+/.*'],
      ['*', 'regex', '/users/.*/x/y'],
      ['*', 'template', '/users/{id}'],
      ['*', 'exact', '/users/me'],
    );
    expect(nameOf(mixed.find(get('a', path)))).toBe(name);
  });

  it('is none where no rule fits', () => {
    expect(index(['a.example', 'prefix', '/x']).find(get('a.example', '/y'))).toBeUndefined();
    expect(index(['a.example', 'prefix', '/']).find(get('b.example', '/'))).toBeUndefined();
  });

  it('of the same place is the first one', () => {
    const twice = new RouteIndex([
      { domain: '*', match: { kind: 'prefix', path: '/' }, route: route('first') },
      { domain: '*', match: { kind: 'prefix', path: '/' }, route: route('second') },
    ]);
    expect(nameOf(twice.find(get('a', '/')))).toBe('first');
  });

  it('of an IPv6 host is found by its address', () => {
    const routes6 = index(['[::1]', 'prefix', '/']);
    expect(nameOf(routes6.find(get('[::1]:8080', '/')))).toBe('[::1] prefix /');
  });
});

describe('conditions of a route', () => {
  const none: ConditionParts = {
    methods: [],
    headers: [],
    query: [],
    cookies: [],
    sources: undefined,
    certificate: undefined,
  };
  const holds = (parts: Partial<ConditionParts>, head: string): boolean | undefined =>
    Conditions.of({ ...none, ...parts })?.hold(routeRequest(head));

  it('ask for cookies', () => {
    const cookies = [{ name: 'beta', match: { kind: 'exact', value: '1' } } as const];
    expect(holds({ cookies }, 'GET /\ncookie: a=2; beta=1')).toBe(true);
    expect(holds({ cookies }, 'GET /\ncookie: beta=2')).toBe(false);
    expect(holds({ cookies }, 'GET /')).toBe(false);
  });

  it('ask for values that an expression fits', () => {
    const match = { kind: 'regex', value: new SafeRegex('v[0-9]+') } as const;
    const headers = [{ name: 'x-version', match }];
    expect(holds({ headers }, 'GET /\nx-version: v12')).toBe(true);
    expect(holds({ headers }, 'GET /\nx-version: v12a')).toBe(false);
    expect(holds({ headers }, 'GET /')).toBe(false);
  });

  it('ask where the client is', () => {
    const sources = new CidrSet([{ network: '127.0.0.0/8', value: 1 }]);
    const request = (sourceAddress: string | undefined): RouteRequest =>
      Object.create(routeRequest('GET /'), {
        sourceAddress: { value: sourceAddress },
      }) as RouteRequest;
    const conditions = Conditions.of({ ...none, sources });
    expect(conditions?.hold(request('127.9.9.9'))).toBe(true);
    expect(conditions?.hold(request('128.0.0.1'))).toBe(false);
    expect(conditions?.hold(request('::1'))).toBe(false);
    expect(conditions?.hold(request(undefined))).toBe(false);
  });

  it('are none when they ask for nothing', () => {
    expect(Conditions.of(none)).toBeUndefined();
  });
});

describe('rules for the same path', () => {
  const none: ConditionParts = {
    methods: [],
    headers: [],
    query: [],
    cookies: [],
    sources: undefined,
    certificate: undefined,
  };
  const rule = (name: string, parts: Partial<ConditionParts>, path = '/a') => ({
    domain: '*',
    match: { kind: 'exact', path } as const,
    conditions: Conditions.of({ ...none, ...parts }),
    route: route(name),
  });
  const header = (match: ConditionParts['headers'][number]['match']) => ({
    headers: [{ name: 'x-env', match }],
  });
  const routes = new RouteIndex([
    rule('writes', { methods: ['POST', 'PUT'] }),
    rule('canary', header({ kind: 'exact', value: 'canary' })),
    rule('lab', header({ kind: 'prefix', value: 'lab-' })),
    rule('debug', { query: [{ name: 'debug', match: { kind: 'present', value: true } }] }),
    rule('v 2', { query: [{ name: 'v', match: { kind: 'exact', value: '2 +' } }] }),
    rule('no agent', {
      headers: [{ name: 'user-agent', match: { kind: 'present', value: false } }],
    }),
    {
      domain: '*',
      match: { kind: 'prefix', path: '/' },
      route: route('rest'),
    },
  ]);

  it.each([
    ['POST /a?debug=1\nx-env: canary', 'writes'],
    ['GET /a\nX-Env: canary', 'canary'],
    ['GET /a\nx-env: lab-7', 'lab'],
    ['GET /a?x=1&debug\nx-env: other', 'debug'],
    ['GET /a?v=2+%2B', 'v 2'],
    ['GET /a', 'no agent'],
    ['GET /a\nuser-agent: x\nx-env: canary\nx-env: lab', 'rest'],
    ['GET /a?v=2\nuser-agent: x', 'rest'],
  ])('are tried in order: %j is for %s', (head, name) => {
    expect(nameOf(routes.find(routeRequest(head)))).toBe(name);
  });

  it('without conditions do not look at the request but for its path', () => {
    const plain = index(['*', 'prefix', '/'], ['*', 'exact', '/a']);
    const request = new Proxy({} as RouteRequest, {
      get: (_, key) => {
        if (key === 'path') return '/a';
        throw new Error(`${String(key)} was asked for`);
      },
    });
    expect(nameOf(plain.find(request))).toBe('* exact /a');
  });
});
