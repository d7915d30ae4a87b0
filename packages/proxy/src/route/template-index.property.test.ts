import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Route } from '../engine/route.ts';
import { routeRequest } from '../engine/test-support/route-request.ts';
import { TemplateIndex } from './template-index.ts';

const RUN = { seed: 20_300_213, numRuns: 2_000 } as const;

const route = (name: string): Route => ({ name }) as unknown as Route;
const nameOf = (found: Route | undefined): string | undefined =>
  (found as unknown as { name: string } | undefined)?.name;

const template = fc
  .tuple(
    fc.array(fc.constantFrom('a', 'b', '{}', ''), { minLength: 1, maxLength: 4 }),
    fc.boolean(),
  )
  .map(([segments, hasRest]) => {
    const named = segments.map((segment, at) => (segment === '{}' ? `{p${at}}` : segment));
    return `/${[...named, ...(hasRest ? ['{rest*}'] : [])].join('/')}`;
  });
const path = fc
  .array(fc.constantFrom('a', 'b', 'c', ''), { minLength: 1, maxLength: 5 })
  .map((segments) => `/${segments.join('/')}`);

/** How a segment of a template is preferred at a place: a text before a parameter before the rest. */
function rankOf(wanted: string, of: string): readonly number[] | undefined {
  const parts = of.slice(1).split('/');
  const segments = wanted.slice(1).split('/');
  const ranks: number[] = [];
  for (const [at, part] of parts.entries()) {
    if (part.endsWith('*}')) return at < segments.length ? [...ranks, 2] : undefined;
    const segment = segments[at];
    if (segment === undefined) return undefined;
    if (part.startsWith('{')) {
      if (segment === '') return undefined;
      ranks.push(1);
    } else {
      if (part !== segment) return undefined;
      ranks.push(0);
    }
  }
  return parts.length === segments.length ? ranks : undefined;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const difference = (a[at] as number) - (b[at] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

describe('the index of templates', () => {
  it('finds the template that is most specific from the first segment on', () => {
    fc.assert(
      fc.property(fc.array(template, { maxLength: 10 }), path, (templates, wanted) => {
        const index = new TemplateIndex();
        for (const text of templates) index.add(text, { route: route(text) });
        const fitting = templates
          .map((text, at) => ({ text, at, rank: rankOf(wanted, text) }))
          .filter((one) => one.rank !== undefined)
          .sort((a, b) => compare(a.rank ?? [], b.rank ?? []) || a.at - b.at);
        expect(nameOf(index.find(wanted, routeRequest(`GET ${wanted}`)))).toBe(fitting[0]?.text);
      }),
      RUN,
    );
  });

  it('looks at each node once, whatever the path', () => {
    const index = new TemplateIndex();
    // All 2^12 ways through a and {p} lead to an end that is not there.
    for (let shape = 0; shape < 4_096; shape++) {
      const parts = Array.from({ length: 12 }, (_, at) => ((shape >> at) & 1 ? 'a' : `{p${at}}`));
      index.add(`/${parts.join('/')}/end`, { route: route(String(shape)) });
    }
    expect(index.find(`/${'a/'.repeat(12)}no`, routeRequest('GET /'))).toBeUndefined();
  });
});
