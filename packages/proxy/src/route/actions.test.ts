import { createRandom } from '@evenkeel/core';
import { describe, expect, it } from 'vitest';
import type { Target } from '../engine/route.ts';
import { routeRequest } from '../engine/test-support/route-request.ts';
import { RouteMeter } from '../observability/route-meter.ts';
import { RedirectRoute, SplitRoute } from './actions.ts';

const TRAITS = {
  name: 'r',
  rewrite: undefined,
  filters: undefined,
  maxBodyBytes: Number.POSITIVE_INFINITY,
  meter: undefined,
};

const target = (name: string): Target => ({ kind: 'target', name }) as unknown as Target;
const sidesOf = (weights: Readonly<Record<string, number>>) =>
  Object.entries(weights).map(([name, weight]) => ({ name, weight, target: target(name) }));
const nameOf = (chosen: Target): string => (chosen as unknown as { name: string }).name;

function split(weights: Readonly<Record<string, number>>, sticky = false): SplitRoute {
  return new SplitRoute(
    {
      sides: sidesOf(weights),
      stickyBy: sticky ? { cookie: 'user' } : undefined,
      random: createRandom(7),
    },
    TRAITS,
  );
}

const user = (id: number) => routeRequest(`GET /\ncookie: user=${id}`);

describe('a split', () => {
  it('draws its sides in proportion to their weights', () => {
    const route = split({ stable: 90, canary: 10, off: 0 });
    const draws = 20_000;
    const counts = new Map<string, number>();
    for (let draw = 0; draw < draws; draw++) {
      const name = nameOf(route.choose(user(1)));
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    // Five standard deviations of a binomial.
    const deviation = 5 * Math.sqrt(draws * 0.1 * 0.9);
    expect(Math.abs((counts.get('canary') ?? 0) - draws * 0.1)).toBeLessThan(deviation);
    expect(counts.has('off')).toBe(false);
  });

  it('with one open side draws nothing else', () => {
    const route = split({ stable: 0, canary: 3 });
    expect(nameOf(route.choose(user(1)))).toBe('canary');
  });

  it('keeps a key with its side, and moves only those that a growing side gains', () => {
    const [small, large] = [split({ a: 90, b: 10 }, true), split({ a: 70, b: 30 }, true)];
    const users = Array.from({ length: 4_000 }, (_, id) => id);
    const before = users.filter((id) => nameOf(small.choose(user(id))) === 'b');
    const after = new Set(users.filter((id) => nameOf(large.choose(user(id))) === 'b'));
    expect(before.every((id) => after.has(id))).toBe(true);
    const deviation = 5 * Math.sqrt(users.length * 0.3 * 0.7);
    expect(Math.abs(after.size - users.length * 0.3)).toBeLessThan(deviation);
    expect(nameOf(small.choose(user(5)))).toBe(nameOf(small.choose(user(5))));
  });

  it('draws requests that have no key', () => {
    const route = split({ a: 1, b: 1 }, true);
    const names = new Set(
      Array.from({ length: 100 }, () => nameOf(route.choose(routeRequest('GET /')))),
    );
    expect(names).toEqual(new Set(['a', 'b']));
  });
});

describe('a redirect', () => {
  const locationOf = (
    options: { scheme?: string; host?: string; path?: string },
    head: string,
  ): string | undefined => {
    const { scheme, host, path } = options;
    const route = new RedirectRoute(
      { status: 301, scheme, host, path },
      new RouteMeter('r', ''),
      TRAITS,
    );
    const text = route.choose(routeRequest(head)).answer.bytes(false, true).toString();
    return /^location: (.*)\r$/m.exec(text)?.[1];
  };

  it.each([
    [{ scheme: 'https' }, 'GET /a?b=c\nhost: x.example:8080', 'https://x.example/a?b=c'],
    [{ scheme: 'https' }, 'GET /\nhost: [::1]:80', 'https://[::1]/'],
    [{ host: 'y.example:81' }, 'GET /a?b\nhost: x.example', '//y.example:81/a?b'],
    [{ path: '/new' }, 'GET /old?b=c\nhost: x', '/new?b=c'],
    [{ path: '/new?v=1' }, 'GET /old?b=c\nhost: x', '/new?v=1'],
    [{ scheme: 'https', host: 'y', path: '/z' }, 'GET /\nhost: x', 'https://y/z'],
    [{ scheme: 'https' }, 'GET //evil.example/', '/evil.example/'],
  ])('%j of %j leads to %s', (options, head, location) => {
    expect(locationOf(options, head)).toBe(location);
  });
});
