import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Route } from '../engine/route.ts';
import { routeRequest } from '../engine/test-support/route-request.ts';
import { Conditions } from './conditions.ts';
import { RouteIndex, type RouteRule } from './route-index.ts';

const RUN = { seed: 20_300_212, numRuns: 2_000 } as const;

const segment = fc.constantFrom('a', 'b', 'aa', '');
const path = fc
  .array(segment, { minLength: 1, maxLength: 3 })
  .map((parts) => `/${parts.join('/')}`);
const ruleOf = fc.record({
  domain: fc.constantFrom('*', 'x.example', '*.example', '*.x.example'),
  kind: fc.constantFrom('exact' as const, 'prefix' as const),
  path,
  method: fc.constantFrom(undefined, 'GET', 'POST'),
});
type Rule = typeof ruleOf extends fc.Arbitrary<infer T> ? T : never;

/** How specific the host of a rule is for a host, or -1 when it is for others. */
function hostRank(domain: string, host: string): number {
  if (domain === '*') return 0;
  if (domain.startsWith('*.')) return host.endsWith(domain.slice(1)) ? domain.length : -1;
  return domain === host ? 1_000 : -1;
}

function pathRank(rule: Rule, wanted: string): number {
  if (rule.kind === 'exact') return rule.path === wanted ? 10_000 : -1;
  return wanted.startsWith(rule.path) ? rule.path.length : -1;
}

/** The rule as the documentation describes it: all of them looked at, one after the other. */
function slowly(rules: readonly Rule[], host: string, wanted: string, method: string): number {
  const ranks = rules.map(({ domain }) => hostRank(domain, host));
  // Of the hosts with rules the most specific one; beside it those for all.
  const best = Math.max(0, ...ranks);
  for (const rank of best === 0 ? [0] : [best, 0]) {
    const fitting = rules
      .map((rule, at) => ({ rule, at, rank: pathRank(rule, wanted) }))
      .filter(({ rule, at, rank: own }) => {
        const holds = rule.method === undefined || rule.method === method;
        return ranks[at] === rank && own >= 0 && holds;
      })
      .sort((a, b) => b.rank - a.rank || a.at - b.at);
    if (fitting[0] !== undefined) return fitting[0].at;
  }
  return -1;
}

describe('the index of routes', () => {
  it('finds what a look at every rule finds', () => {
    fc.assert(
      fc.property(
        fc.array(ruleOf, { maxLength: 12 }),
        fc.constantFrom('x.example', 'y.example', 'y.x.example', 'other'),
        path,
        fc.constantFrom('GET', 'POST', 'PUT'),
        (rules, host, wanted, method) => {
          const compiled = rules.map((rule, at): RouteRule => ({
            domain: rule.domain,
            match: { kind: rule.kind, path: rule.path },
            conditions: Conditions.of({
              methods: rule.method === undefined ? [] : [rule.method],
              headers: [],
              query: [],
              cookies: [],
              sources: undefined,
              certificate: undefined,
            }),
            route: { at } as unknown as Route,
          }));
          const request = routeRequest(`${method} ${wanted}\nhost: ${host}`);
          const found = new RouteIndex(compiled).find(request) as unknown as
            { at: number } | undefined;
          expect(found?.at ?? -1).toBe(slowly(rules, host, wanted, method));
        },
      ),
      RUN,
    );
  });
});
