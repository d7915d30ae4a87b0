import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Threshold, Thresholds } from './thresholds.ts';

describe('Thresholds', () => {
  it("has Envoy's limits", () => {
    const { connections, pending, requests, retries } = new Thresholds();
    expect([connections, pending, requests, retries].map((each) => each.limit)).toEqual([
      1_024, 1_024, 1_024, 3,
    ]);
  });

  it('counts each kind on its own', () => {
    const thresholds = new Thresholds({ connections: 1, retries: 0 });
    expect(thresholds.connections.tryAcquire()).toBe(true);
    expect(thresholds.connections.tryAcquire()).toBe(false);
    expect(thresholds.retries.tryAcquire()).toBe(false);
    expect(thresholds.requests.tryAcquire()).toBe(true);
    expect([thresholds.connections.rejectedCount, thresholds.retries.rejectedCount]).toEqual([
      1, 1,
    ]);
  });

  it('keeps what is open when a limit is lowered, and admits nothing until it fits', () => {
    const thresholds = new Thresholds({ requests: 3 });
    for (let request = 0; request < 3; request++) thresholds.requests.tryAcquire();
    thresholds.configure({ requests: 1 });
    expect(thresholds.requests.active).toBe(3);
    expect(thresholds.requests.remaining).toBe(0);
    thresholds.requests.release();
    thresholds.requests.release();
    expect(thresholds.requests.tryAcquire()).toBe(false);
    thresholds.requests.release();
    expect(thresholds.requests.tryAcquire()).toBe(true);
  });

  it('changes nothing when a new configuration is wrong', () => {
    const thresholds = new Thresholds({ requests: 3 });
    expect(() => thresholds.configure({ requests: 9, retries: -1 })).toThrow(
      'thresholds.retries: expected an integer from 0 to 1000000000, got -1',
    );
    expect(thresholds.requests.limit).toBe(3);
  });
});

describe('Threshold', () => {
  it('is exact, never negative and never above its limit, whatever is called', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 5 }),
        fc.array(fc.boolean(), { maxLength: 200 }),
        (limit, steps) => {
          const threshold = new Threshold(limit);
          let open = 0;
          let refused = 0;
          let surplus = 0;
          for (const acquires of steps) {
            if (acquires) {
              const admitted = threshold.tryAcquire();
              expect(admitted).toBe(open < limit);
              if (admitted) open++;
              else refused++;
            } else {
              threshold.release();
              if (open > 0) open--;
              else surplus++;
            }
            expect(threshold.active).toBe(open);
            expect(threshold.remaining).toBe(limit - open);
          }
          expect(threshold.rejectedCount).toBe(refused);
          expect(threshold.surplusReleaseCount).toBe(surplus);
        },
      ),
      { seed: 61, numRuns: 500 },
    );
  });
});
