import { describe, expect, it } from 'vitest';
import { NO_SLOT } from '../../model/pick-context.ts';
import { setUpDetector as setUp } from './test-support/detector-harness.ts';

describe('return by trial', () => {
  it('offers the slot to a single request when the time is over', () => {
    const { record, advance, heard, detector, takeTrial } = setUp();
    record(1, 'serverError', 5);
    advance(9_999);
    expect(detector.trialSlot).toBe(NO_SLOT);
    expect(takeTrial()).toBe(NO_SLOT);
    advance(1);
    expect(detector.trialSlot).toBe(1);
    expect(takeTrial()).toBe(1);
    expect(detector.trialSlot).toBe(NO_SLOT);
    expect(detector.status(1)?.ejected).toBe(true);
    heard();
    record(1, 'success');
    expect(heard()).toEqual(['return 1 trial @10000']);
    expect(detector.status(1)).toMatchObject({
      ejected: false,
      ejection: undefined,
      untilMs: undefined,
    });
  });

  it('ejects for longer when the trial fails', () => {
    const { record, advance, heard, takeTrial } = setUp();
    record(1, 'serverError', 5);
    for (const name of ['timeout', 'connectFailure', 'serverError'] as const) {
      advance(60_000);
      takeTrial();
      record(1, name);
    }
    expect(heard().filter((line) => line.startsWith('eject'))).toEqual([
      'eject 1 consecutive-failures 1 10000 @0',
      // After 20 s (10 s ejected, 10 s for the trial) it came back on probation.
      'eject 1 trial-failed 1 10000 @60000',
      'eject 1 trial-failed 1 10000 @120000',
      'eject 1 trial-failed 1 10000 @180000',
    ]);
  });

  it('grows with every failed trial in a row', () => {
    const { record, advance, heard, takeTrial } = setUp({ maxEjectionMs: 35_000 });
    record(1, 'serverError', 5);
    for (const waitMs of [10_000, 20_000, 30_000, 35_000]) {
      advance(waitMs);
      expect(takeTrial()).toBe(1);
      record(1, 'timeout');
    }
    expect(heard()).toEqual([
      'eject 1 consecutive-failures 1 10000 @0',
      'eject 1 trial-failed 2 20000 @10000',
      'eject 1 trial-failed 3 30000 @30000',
      'eject 1 trial-failed 4 35000 @60000',
      'eject 1 trial-failed 5 35000 @95000',
    ]);
  });

  it('takes "asks for less" as an answer', () => {
    const { record, advance, heard, takeTrial } = setUp();
    record(1, 'serverError', 5);
    advance(10_000);
    takeTrial();
    record(1, 'overloaded');
    expect(heard().at(-1)).toBe('return 1 trial @10000');
  });

  it('puts a cancelled trial back at the end of the queue', () => {
    const { record, advance, detector, takeTrial } = setUp({ members: 4 });
    record(1, 'serverError', 5);
    record(2, 'serverError', 5);
    advance(10_000);
    expect(takeTrial()).toBe(1);
    record(1, 'cancelled');
    expect(takeTrial()).toBe(2);
    expect(takeTrial()).toBe(1);
    expect(detector.trialSlot).toBe(NO_SLOT);
  });

  it('serves several in the order of their time', () => {
    const { record, advance, takeTrial } = setUp({ members: 6 });
    record(4, 'serverError', 5);
    advance(1_000);
    record(2, 'serverError', 5);
    advance(1_000);
    record(3, 'serverError', 5);
    advance(10_000);
    expect([takeTrial(), takeTrial(), takeTrial()]).toEqual([4, 2, 3]);
  });

  it('lets any outcome after the time decide, as in panic', () => {
    const { record, advance, heard, detector } = setUp();
    record(1, 'serverError', 5);
    record(2, 'serverError', 5);
    advance(5_000);
    record(1, 'success'); // too early: ignored
    expect(detector.status(1)?.ejected).toBe(true);
    advance(5_000);
    record(1, 'success');
    record(2, 'reset');
    expect(heard().slice(2)).toEqual([
      'return 1 trial @10000',
      'eject 2 trial-failed 2 20000 @10000',
    ]);
    expect(detector.trialSlot).toBe(NO_SLOT);
  });

  it.each([
    { name: 'nobody takes', take: false },
    { name: 'never ends', take: true },
  ])('gives a trial up that $name', ({ take }) => {
    const { record, advance, heard, detector, takeTrial } = setUp();
    record(1, 'serverError', 5);
    advance(10_000);
    if (take) takeTrial();
    advance(10_000);
    expect(heard().at(-1)).toBe('return 1 time @20000');
    expect(detector.trialSlot).toBe(NO_SLOT);
    // The late end of the trial is then simply the first outcome.
    record(1, 'timeout');
    expect(heard()).toEqual(['eject 1 trial-failed 2 20000 @20000']);
  });

  it('does not prolong the limit when trials are cancelled', () => {
    const { record, advance, heard, takeTrial } = setUp();
    record(1, 'serverError', 5);
    advance(10_000);
    for (let i = 0; i < 9; i++) {
      takeTrial();
      record(1, 'cancelled');
      advance(1_000);
    }
    advance(1_000);
    expect(heard().at(-1)).toBe('return 1 time @20000');
  });
});

describe('return by time', () => {
  it('puts the slot on probation: its first failure ejects it again', () => {
    const { record, advance, heard, detector } = setUp({ returnBy: 'time' });
    record(1, 'serverError', 5);
    advance(10_000);
    expect(detector.trialSlot).toBe(NO_SLOT);
    record(1, 'cancelled');
    record(1, 'gatewayError');
    expect(heard()).toEqual([
      'eject 1 consecutive-failures 1 10000 @0',
      'return 1 time @10000',
      'eject 1 trial-failed 2 20000 @10000',
    ]);
  });

  it('ends the probation with the first success', () => {
    const { record, advance, heard } = setUp({ returnBy: 'time' });
    record(1, 'serverError', 5);
    advance(10_000);
    record(1, 'success');
    heard();
    record(1, 'serverError', 4);
    expect(heard()).toEqual([]);
    record(1, 'serverError');
    expect(heard()).toEqual(['eject 1 consecutive-failures 2 20000 @10000']);
  });

  it('keeps the limit on probation too', () => {
    const { record, advance, heard } = setUp({ members: 2, returnBy: 'time' });
    record(0, 'serverError', 5);
    advance(10_000);
    record(1, 'serverError', 5);
    record(0, 'serverError');
    expect(heard()).toEqual([
      'eject 0 consecutive-failures 1 10000 @0',
      'return 0 time @10000',
      'eject 1 consecutive-failures 1 10000 @10000',
      'skip 0 trial-failed limit @10000',
    ]);
  });

  it('forgives with time', () => {
    const { record, advance, detector } = setUp({ returnBy: 'time' });
    record(1, 'serverError', 5);
    advance(10_000);
    record(1, 'timeout');
    advance(20_000);
    expect(detector.status(1)?.ejectionCount).toBe(2);
    advance(30_000);
    expect(detector.status(1)?.ejectionCount).toBe(1);
    advance(30_000);
    expect(detector.status(1)?.ejectionCount).toBe(0);
  });
});

describe('active checks', () => {
  it('bring a slot back when they fail and pass again', () => {
    const { record, advance, heard, detector } = setUp();
    record(1, 'connectFailure', 3);
    detector.onActiveHealth(1, false);
    advance(3_000);
    detector.onActiveHealth(1, true);
    expect(heard().at(-1)).toBe('return 1 active-check @3000');
  });

  it('that never saw the trouble bring nothing back', () => {
    const { record, detector } = setUp();
    record(1, 'serverError', 5);
    detector.onActiveHealth(1, true);
    expect(detector.status(1)?.ejected).toBe(true);
  });

  it('keep a slot that is down from wasting a trial', () => {
    const { record, advance, detector } = setUp({ activeCheckReturns: false });
    record(1, 'connectFailure', 3);
    detector.onActiveHealth(1, false);
    advance(10_000);
    expect(detector.trialSlot).toBe(NO_SLOT);
    detector.onActiveHealth(1, true);
    expect(detector.trialSlot).toBe(1);
    detector.onActiveHealth(1, false);
    expect(detector.trialSlot).toBe(NO_SLOT);
  });

  it('leave slots alone that are not ejected, and those unknown', () => {
    const { heard, detector } = setUp();
    detector.onActiveHealth(1, false);
    detector.onActiveHealth(1, true);
    detector.onActiveHealth(77, true);
    expect(heard()).toEqual([]);
  });
});
