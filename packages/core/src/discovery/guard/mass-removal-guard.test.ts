import { describe, expect, it } from 'vitest';
import { type EndpointSet, endpointSetOf } from '../../model/endpoint-set.ts';
import { completeGuardOptions, type GuardOptions } from './config.ts';
import { MassRemovalGuard, type Verdict } from './mass-removal-guard.ts';

/** Endpoints 0 to 9, as `0-9`, or a list of such spans: `0-3 7`. */
function endpoints(spans: string): EndpointSet {
  const numbers = spans.split(' ').flatMap((span) => {
    const [from = 0, to = from] = span.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
  return endpointSetOf(spans === '' ? [] : numbers.map((number) => `10.0.0.${number + 1}:80`));
}

function idsOf(set: EndpointSet): string[] {
  return set.endpoints.map(({ id }) => id).sort();
}

/** A guard with the set in force that it leads to. */
class Guarded {
  readonly #guard: MassRemovalGuard;
  set: EndpointSet | undefined;

  constructor(spans: string, options: GuardOptions = {}) {
    this.#guard = new MassRemovalGuard(completeGuardOptions(options));
    this.answer(spans, 0);
  }

  answer(spans: string, nowMs: number): Verdict {
    const verdict = this.#guard.judge(this.set, endpoints(spans), nowMs);
    this.set = verdict.set;
    return verdict;
  }
}

describe('MassRemovalGuard', () => {
  it('believes the first answer', () => {
    const guarded = new Guarded('0-2');
    expect(guarded.set).toEqual(endpoints('0-2'));
  });

  it('lets up to the share leave at once', () => {
    const guarded = new Guarded('0-9');
    expect(guarded.answer('0-4', 1)).toMatchObject({
      heldCount: 0,
      missingCount: 5,
      tripped: false,
      confirmAtMs: undefined,
    });
    expect(idsOf(guarded.set as EndpointSet)).toEqual(idsOf(endpoints('0-4')));
  });

  it('holds all of a larger share, takes what is new, and trips once', () => {
    const guarded = new Guarded('0-9');
    expect(guarded.answer('0-3 20', 100)).toMatchObject({
      heldCount: 6,
      missingCount: 6,
      tripped: true,
      confirmAtMs: 10_100,
    });
    expect(idsOf(guarded.set as EndpointSet)).toEqual(idsOf(endpoints('0-9 20')));
    expect(guarded.answer('0-3 20', 200)).toMatchObject({ heldCount: 6, tripped: false });
  });

  it('believes a second look, not an answer before its time', () => {
    const guarded = new Guarded('0-9');
    guarded.answer('0-3', 100);
    expect(guarded.answer('0-3', 10_099).heldCount).toBe(6);
    expect(guarded.answer('0-3', 10_100)).toMatchObject({ heldCount: 0, missingCount: 6 });
    expect(idsOf(guarded.set as EndpointSet)).toEqual(idsOf(endpoints('0-3')));
  });

  it('counts the time of an endpoint that was listed in between anew', () => {
    const guarded = new Guarded('0-9');
    guarded.answer('', 0);
    guarded.answer('0-3', 5_000);
    expect(guarded.answer('', 9_000)).toMatchObject({ heldCount: 10, confirmAtMs: 10_000 });
    // 4 to 9 have been missing since the start, 0 to 3 only since 9 s: they are 4 of 10, and may go.
    expect(guarded.answer('', 10_000)).toMatchObject({ heldCount: 0, missingCount: 10 });
  });

  it('stops holding when the endpoints are back', () => {
    const guarded = new Guarded('0-9');
    guarded.answer('', 0);
    expect(guarded.answer('0-9', 3_000)).toMatchObject({ heldCount: 0, confirmAtMs: undefined });
    expect(guarded.answer('', 11_000)).toMatchObject({ heldCount: 10, tripped: true });
  });

  it('adds up what leaves within the time', () => {
    const guarded = new Guarded('0-9');
    expect(guarded.answer('0-6', 0).heldCount).toBe(0);
    expect(guarded.answer('0-3', 1_000)).toMatchObject({ heldCount: 3, tripped: true });
  });

  it('forgets departures after the time', () => {
    const guarded = new Guarded('0-9');
    guarded.answer('0-6', 0);
    expect(guarded.answer('0-3', 10_000).heldCount).toBe(0);
  });

  it.each([
    { maxRemovalPercent: 0, lost: '1-9', heldCount: 1 },
    { maxRemovalPercent: 100, lost: '', heldCount: 0 },
    { maxRemovalPercent: 10, lost: '1-9', heldCount: 0 },
    { maxRemovalPercent: 10, lost: '2-9', heldCount: 2 },
  ])('with $maxRemovalPercent % holds $heldCount when "$lost" of ten is left', (row) => {
    const guarded = new Guarded('0-9', { maxRemovalPercent: row.maxRemovalPercent });
    expect(guarded.answer(row.lost, 1).heldCount).toBe(row.heldCount);
  });

  it('believes everything with a confirmation time of 0', () => {
    const guarded = new Guarded('0-9', { confirmAfterMs: 0 });
    expect(guarded.answer('', 1)).toMatchObject({ heldCount: 0, missingCount: 10 });
  });

  it('takes the properties that the answer says, and the last known ones of what is held', () => {
    const guard = new MassRemovalGuard(completeGuardOptions());
    const before = endpointSetOf([
      { address: '10.0.0.1:80', weight: 2 },
      { address: '10.0.0.2:80', weight: 3 },
      { address: '10.0.0.3:80', weight: 4 },
    ]);
    const after = endpointSetOf([{ address: '10.0.0.1:80', weight: 9 }]);
    const { set } = guard.judge(before, after, 0);
    expect(set.endpoints.map(({ weight }) => weight)).toEqual([9, 3, 4]);
  });
});
