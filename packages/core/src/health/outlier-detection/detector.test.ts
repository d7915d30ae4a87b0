import { describe, expect, it } from 'vitest';
import { createEndpoint } from '../../model/endpoint.ts';
import { Outcome } from '../../model/outcome.ts';
import { NO_SLOT } from '../../model/pick-context.ts';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { outlierDetectionSchema } from './config.ts';
import { createOutlierDetector } from './detector.ts';
import { membersAt, setUpDetector as setUp } from './test-support/detector-harness.ts';

describe('ejection', () => {
  it('follows failures in a row', () => {
    const { record, heard, detector } = setUp();
    record(1, 'serverError', 4);
    expect(heard()).toEqual([]);
    expect(detector.status(1)).toMatchObject({ ejected: false, consecutiveFailures: 4 });
    record(1, 'serverError');
    expect(heard()).toEqual(['eject 1 consecutive-failures 1 10000 @0']);
    expect(detector.status(1)).toMatchObject({
      ejected: true,
      untilMs: 10_000,
      ejectionCount: 1,
      consecutiveFailures: 0,
      ejection: { reason: '5 failures in a row (last: serverError)' },
    });
  });

  it('is not said again of a slot that is out', () => {
    const { record, heard } = setUp();
    record(1, 'connectFailure', 50);
    expect(heard()).toEqual(['eject 1 connect-failures 1 10000 @0']);
  });

  it('ignores slots that are no members, and those out of range', () => {
    const { record, heard, detector } = setUp({ members: 2 });
    record(2, 'connectFailure', 50);
    record(999_999, 'connectFailure', 50);
    record(999_999, 'success');
    expect(heard()).toEqual([]);
    expect(detector.status(2)).toBeUndefined();
    expect(detector.status(999_999)).toBeUndefined();
  });

  it('stops at the largest share and says so once per run of failures', () => {
    const { record, heard } = setUp({ members: 4, maxEjectionPercent: 50 });
    for (const slot of [0, 1, 2]) record(slot, 'serverError', 5);
    record(2, 'serverError', 4);
    expect(heard()).toEqual([
      'eject 0 consecutive-failures 1 10000 @0',
      'eject 1 consecutive-failures 1 10000 @0',
      'skip 2 consecutive-failures limit @0',
    ]);
    record(2, 'serverError');
    expect(heard()).toEqual(['skip 2 consecutive-failures limit @0']);
  });

  it('leaves a cluster of one alone', () => {
    const { record, heard } = setUp({ members: 1 });
    record(0, 'connectFailure', 3);
    expect(heard()).toEqual(['skip 0 connect-failures limit @0']);
  });

  it('with enforcing 0 only reports', () => {
    const { record, heard, detector } = setUp({ enforcingPercent: 0 });
    record(0, 'serverError', 10);
    const skipped = 'skip 0 consecutive-failures not-enforced @0';
    expect(heard()).toEqual([skipped, skipped]);
    expect(detector.status(0)).toMatchObject({ ejected: false, skippedCount: 2 });
  });

  it('with enforcing 30 carries out about 30 %', () => {
    const { record, heard } = setUp({
      members: 1000,
      enforcingPercent: 30,
      maxEjectionPercent: 100,
    });
    for (let slot = 0; slot < 1000; slot++) record(slot, 'serverError', 5);
    const ejected = heard().filter((line) => line.startsWith('eject')).length;
    // Binomial(1000, 0.3): standard deviation 14.5.
    expect(Math.abs(ejected - 300)).toBeLessThan(5 * 14.5);
  });

  it('draws for every detector by its own percentage', () => {
    const { record, heard } = setUp({ enforcingPercent: { connectFailures: 0 } });
    record(0, 'connectFailure', 3);
    record(1, 'serverError', 5);
    expect(heard()).toEqual([
      'skip 0 connect-failures not-enforced @0',
      'eject 1 consecutive-failures 1 10000 @0',
    ]);
  });

  it('needs one timer for any number of ejections', () => {
    const { record, runtime } = setUp({ members: 1000, jitterRatio: 0.1 });
    for (let slot = 0; slot < 500; slot++) record(slot, 'serverError', 5);
    expect(runtime.scheduler.pendingCount).toBe(1);
  });
});

describe('members', () => {
  it('that leave are forgotten with all that was known', () => {
    const { record, advance, heard, detector, runtime } = setUp();
    record(1, 'serverError', 5);
    record(2, 'serverError', 4);
    detector.update(membersAt(0, 3));
    expect(detector.status(1)).toBeUndefined();
    expect(runtime.scheduler.pendingCount).toBe(0);
    detector.update(membersAt(0, 1, 2, 3));
    expect(detector.status(1)).toMatchObject({ ejected: false, ejectionCount: 0 });
    heard();
    record(2, 'serverError');
    advance(60_000);
    expect(heard()).toEqual([]);
  });

  it('that take over a slot inherit nothing from the one before', () => {
    const { record, detector, runtime } = setUp();
    record(1, 'serverError', 5);
    record(2, 'serverError', 4);
    const taken = membersAt(0, 1, 2, 3).map(({ slot }) => ({
      slot,
      endpoint: createEndpoint(`10.9.9.9:${slot + 1}`),
    }));
    detector.update(taken);
    expect(detector.status(1)).toMatchObject({ ejected: false, ejectionCount: 0 });
    record(2, 'serverError');
    expect(detector.status(2)).toMatchObject({ ejected: false, consecutiveFailures: 1 });
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  it('that leave while waiting for a trial leave the queue', () => {
    const { record, advance, detector } = setUp();
    record(1, 'serverError', 5);
    advance(10_000);
    detector.update(membersAt(0, 2, 3));
    expect(detector.trialSlot).toBe(NO_SLOT);
  });

  it('that stay keep their state while others come, also over a growth', () => {
    const { record, advance, detector } = setUp({ members: 3 });
    record(1, 'serverError', 5);
    record(2, 'serverError', 4);
    detector.update(membersAt(...Array.from({ length: 500 }, (_, slot) => slot)));
    expect(detector.status(1)?.ejected).toBe(true);
    record(2, 'serverError');
    expect(detector.status(2)?.ejected).toBe(true);
    advance(10_000);
    expect(detector.trialSlot).toBe(1);
  });

  it('may be changed by the listener in the middle of a batch', () => {
    const runtime = createManualRuntime();
    const returned: number[] = [];
    const detector = createOutlierDetector(
      outlierDetectionSchema.parse({ jitterRatio: 0, returnBy: 'time', successRate: false }),
      { cluster: 'test', runtime },
      {
        onEject: () => undefined,
        onEjectionSkipped: () => undefined,
        onReturn: (slot) => {
          returned.push(slot);
          detector.update(membersAt(0, 3, 4));
        },
      },
    );
    detector.update(membersAt(0, 1, 2, 3, 4));
    for (const slot of [0, 1]) {
      for (let i = 0; i < 5; i++) detector.record(slot, Outcome.reset, 0);
    }
    runtime.scheduler.advance(10_000);
    expect(returned).toEqual([0]);
  });
});

describe('closing', () => {
  it('leaves no timer and ignores what still comes', () => {
    const { record, heard, detector, runtime } = setUp();
    record(1, 'serverError', 5);
    heard();
    detector.close();
    detector.close();
    expect(runtime.scheduler.pendingCount).toBe(0);
    expect(detector.trialSlot).toBe(NO_SLOT);
    record(2, 'serverError', 5);
    detector.onActiveHealth(1, true);
    detector.update(membersAt(0, 1, 2));
    record(2, 'serverError', 5);
    expect(heard()).toEqual([]);
    expect(runtime.scheduler.pendingCount).toBe(0);
  });
});
