import { describe, expect, it } from 'vitest';
import type { Route } from '../engine/route.ts';
import { type PathMatch, RouteIndex } from './route-index.ts';

/** Routes are told apart by their name; the index never looks into them. */
const route = (name: string): Route => ({ name }) as unknown as Route;
const nameOf = (found: Route | undefined): string | undefined =>
  (found as unknown as { name: string } | undefined)?.name;

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
    expect(nameOf(routes.find(host, path))).toBe(name);
  });

  it('is none where no rule fits', () => {
    expect(index(['a.example', 'prefix', '/x']).find('a.example', '/y')).toBeUndefined();
    expect(index(['a.example', 'prefix', '/']).find('b.example', '/')).toBeUndefined();
  });

  it('of the same place is the first one', () => {
    const twice = new RouteIndex([
      { domain: '*', match: { kind: 'prefix', path: '/' }, route: route('first') },
      { domain: '*', match: { kind: 'prefix', path: '/' }, route: route('second') },
    ]);
    expect(nameOf(twice.find('a', '/'))).toBe('first');
  });

  it('of an IPv6 host is found by its address', () => {
    const routes6 = index(['[::1]', 'prefix', '/']);
    expect(nameOf(routes6.find('[::1]:8080', '/'))).toBe('[::1] prefix /');
  });
});
