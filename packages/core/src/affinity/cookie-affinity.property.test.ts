import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_SLOT } from '../model/pick-context.ts';
import { createCookieAffinity } from './cookie-affinity.ts';
import { pairOf, scriptedCluster } from './test-support/scripted-cluster.ts';

const RUN = { seed: 20_300_105, numRuns: 500 } as const;
const SECRET = 'a secret of enough bytes';
const IDS = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80', '10.0.0.4:80', '10.0.0.5:80'];

function setUp(ids: readonly string[]) {
  const scripted = scriptedCluster(ids, { outlierDetection: false });
  const options = { secrets: [SECRET], name: 'route' };
  const affinity = createCookieAffinity(scripted.cluster, options, scripted.runtime);
  const cookieOf = (id: string): string => {
    const endpoint = scripted.cluster.endpoint(scripted.slotOf(id));
    return pairOf(endpoint && affinity.issue(endpoint));
  };
  return { ...scripted, affinity, cookieOf };
}

describe('cookie affinity', () => {
  it('survives any Cookie header, and follows none that it has not signed', () => {
    const { affinity } = setUp(IDS);
    const part = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        'route',
        'route=',
        '=',
        ';',
        '; ',
        '"',
        `route=${'A'.repeat(48)}`,
        '%00',
        '\0',
      ),
      fc.stringMatching(/^[A-Za-z0-9_-]{48}$/),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        const visit = affinity.read(parts.join(''));
        expect(visit.slot).toBe(NO_SLOT);
        expect(['absent', 'invalid']).toContain(visit.status);
      }),
      RUN,
    );
  });

  it('finds its own cookie among whatever other cookies a browser has', () => {
    const { affinity, slotOf, cookieOf } = setUp(IDS);
    const pair = fc
      .tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.stringMatching(/^[^;]{0,30}$/))
      .filter(([name]) => name !== 'route')
      .map(([name, value]) => `${name}=${value}`);
    fc.assert(
      fc.property(fc.constantFrom(...IDS), fc.array(pair), fc.array(pair), (id, before, after) => {
        const visit = affinity.read([...before, cookieOf(id), ...after].join('; '));
        expect(visit).toEqual({ status: 'valid', slot: slotOf(id), renew: false });
      }),
      RUN,
    );
  });

  it('names the right endpoint or none, however the members change', () => {
    const members = fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(members, { minLength: 1, maxLength: 8 }), (sets) => {
        const { affinity, cluster, list, slotOf, cookieOf } = setUp(IDS);
        const cookies = new Map(IDS.map((id) => [id, cookieOf(id)]));
        for (const listed of sets) {
          list(...listed);
          for (const [id, cookie] of cookies) {
            const visit = affinity.read(cookie);
            if (listed.includes(id)) {
              expect(visit).toMatchObject({ status: 'valid', slot: slotOf(id) });
              expect(cluster.endpoint(affinity.pick(visit))?.id).toBe(id);
            } else {
              expect(visit).toMatchObject({ status: 'gone', slot: NO_SLOT });
            }
          }
        }
      }),
      { ...RUN, numRuns: 100 },
    );
  });
});
