import { describe, expect, it } from 'vitest';
import { setUpDetector } from './test-support/detector-harness.ts';

/** Ten members that answer four fifths of their requests and let the others run out of time. */
function overloaded(members = 10) {
  const setUp = setUpDetector({ members });
  const others = (rounds: number): void => {
    for (let round = 0; round < rounds; round++) {
      for (let slot = 1; slot < members; slot++) {
        setUp.record(slot, 'timeout');
        setUp.record(slot, 'success', 4);
      }
    }
  };
  return { ...setUp, others };
}

describe('timeouts in a row, while others have timeouts too', () => {
  it('are evidence once the run is improbable: longer than ln(1e-9) / ln(0.2) = 12.9', () => {
    const { record, others, heard } = overloaded();
    for (let nth = 1; nth <= 12; nth++) {
      record(0, 'timeout');
      others(50);
    }
    expect(heard()).toEqual([]);
    record(0, 'timeout');
    expect(heard()).toEqual(['eject 0 consecutive-failures 1 10000 @0']);
  });

  it('begin anew after a success', () => {
    const { record, others, heard } = overloaded();
    for (let round = 0; round < 3; round++) {
      for (let nth = 1; nth <= 12; nth++) {
        record(0, 'timeout');
        others(5);
      }
      record(0, 'success');
    }
    expect(heard()).toEqual([]);
  });

  it('are judged by what happens during the run, not before it', () => {
    const { record, others, heard } = overloaded();
    others(1_000);
    // Now the others are well.
    for (let nth = 0; nth < 5; nth++) {
      record(0, 'timeout');
      record(1, 'success', 100);
    }
    expect(heard()).toEqual(['eject 0 consecutive-failures 1 10000 @0']);
  });
});

describe('members that time out', () => {
  it('explain the run of another only if they are more than half of all', () => {
    for (const [count, ejected] of [
      [4, true],
      [5, false],
    ] as const) {
      const { record, heard } = setUpDetector({ members: 10 });
      for (let nth = 0; nth < 5; nth++) {
        record(0, 'timeout');
        for (let slot = 1; slot <= count; slot++) {
          record(slot, 'timeout');
          record(slot, 'success');
        }
      }
      expect(heard().length > 0).toBe(ejected);
    }
  });

  it('count for an interval', () => {
    for (const [pauseMs, ejected] of [
      [9_000, false],
      [10_001, true],
    ] as const) {
      const { record, others, heard, advance } = overloaded();
      record(0, 'timeout');
      others(1);
      advance(pauseMs);
      record(0, 'timeout', 4);
      expect(heard().length > 0).toBe(ejected);
    }
  });
});

describe('timeouts in a row are evidence after the usual five', () => {
  const EJECTED = ['eject 0 consecutive-failures 1 10000 @0'];

  it('when the others are well', () => {
    const { record, heard } = setUpDetector();
    record(0, 'timeout', 4);
    record(1, 'success', 1_000);
    record(0, 'timeout');
    expect(heard()).toEqual(EJECTED);
  });

  it('when nothing is known of the others', () => {
    const { record, heard } = setUpDetector();
    record(0, 'timeout', 5);
    expect(heard()).toEqual(EJECTED);
  });

  it('when the others that have them are silent altogether', () => {
    const { record, heard } = setUpDetector({ members: 10 });
    for (let nth = 0; nth < 5; nth++) {
      for (let slot = 0; slot < 3; slot++) record(slot, 'timeout');
      record(9, 'success', 7);
    }
    expect(heard()).toEqual(
      [0, 1, 2].map((slot) => `eject ${slot} consecutive-failures 1 10000 @0`),
    );
  });

  it('when there are failures of another kind among them', () => {
    for (const other of ['serverError', 'connectFailure', 'reset'] as const) {
      const { record, others, heard } = overloaded();
      for (let nth = 0; nth < 4; nth++) {
        record(0, 'timeout');
        others(5);
      }
      record(0, other);
      expect(heard()).toEqual(EJECTED);
    }
  });

  it('and other failures in a row, whatever the others do', () => {
    const { record, others, heard } = overloaded();
    for (let nth = 0; nth < 5; nth++) {
      record(0, 'serverError');
      others(5);
    }
    expect(heard()).toEqual(EJECTED);
  });
});
