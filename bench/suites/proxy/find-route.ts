/**
 * What it costs to find the route of a request, among twenty and among ten thousand: half of the routes are exact paths,
 * half are prefixes, on a hundred hosts; every tenth has a condition that does not hold, in front of one without.
 */
// oxlint-disable-next-line no-restricted-imports -- not public: within a whole request its cost would not be seen
import { Conditions } from '../../../packages/proxy/src/route/conditions.ts';
// oxlint-disable-next-line no-restricted-imports -- the same
import { RouteIndex, type RouteRule } from '../../../packages/proxy/src/route/route-index.ts';
import { loopTimer } from '../../support/loop-timer.ts';
import { measureRounds } from '../../support/rounds.ts';
import { summarize } from '../../support/statistics.ts';
import type { Figures } from '../../support/suite.ts';
import { formatTable } from '../../support/table.ts';

type Route = RouteRule['route'];
type Request = Parameters<RouteIndex['find']>[0];

/** A power of two: the requests of a loop follow each other in turn. */
const REQUESTS = 1_024;

export async function findRouteFigures(
  print: (text: string) => void,
  quick: boolean,
): Promise<Figures> {
  const samples = await measureRounds(
    [20, 10_000].map((count) => ({ name: `${count} routes`, measure: measurement(count) })),
    quick ? { rounds: 1, warmupRounds: 0 } : { rounds: 7, warmupRounds: 1 },
  );
  const few = summarize(samples['20 routes'] ?? []).median;
  const many = summarize(samples['10000 routes'] ?? []).median;
  print('\nFinding the route of a request, nanoseconds');
  print(
    formatTable(
      ['routes', 'ns'],
      [
        ['20', few],
        ['10,000', many],
      ],
    ),
  );
  return { 'route-20-ns': few, 'route-10000-ns': many };
}

function measurement(count: number): () => Promise<number> {
  const rules = Array.from({ length: count }, (_, at) => rulesAt(at)).flat();
  const index = new RouteIndex(rules);
  const requests = Array.from({ length: REQUESTS }, (_, at) => requestAt((at * 7_919) % count));
  const timer = loopTimer((iterations) => {
    let found = 0;
    for (let turn = 0; turn < iterations; turn++)
      if (index.find(requests[turn & (REQUESTS - 1)] as Request) !== undefined) found++;
    if (found !== iterations) throw new Error('a route was not found');
    return found;
  });
  return () => Promise.resolve(timer());
}

const hostAt = (at: number): string => `host-${at % 100}.example`;
const pathAt = (at: number): string => `/service-${at}/items`;

function rulesAt(at: number): RouteRule[] {
  const route = { rewrite: undefined } as Route;
  const match = { kind: at % 2 === 0 ? 'exact' : 'prefix', path: pathAt(at) } as const;
  const rule = { domain: hostAt(at), match, route };
  if (at % 10 !== 0) return [rule];
  const conditions = Conditions.of({
    methods: ['POST'],
    headers: [],
    query: [],
    cookies: [],
    sources: undefined,
    certificate: undefined,
  });
  return [{ ...rule, conditions }, rule];
}

function requestAt(at: number): Request {
  return {
    method: 'GET',
    host: `${hostAt(at)}:8080`,
    path: at % 2 === 0 ? pathAt(at) : `${pathAt(at)}/42`,
  } as Request;
}
