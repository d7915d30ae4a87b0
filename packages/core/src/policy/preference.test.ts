import { describe, expect, it } from 'vitest';
import { createEndpoint } from '../model/endpoint.ts';
import { NO_SLOT } from '../model/pick-context.ts';
import { keyedMembersOf } from './keyed-members.ts';
import {
  completeOrder,
  explainPreference,
  explainRandomPick,
  firstAllowed,
  PreferenceLists,
  scanAllowed,
} from './preference.ts';

describe('PreferenceLists', () => {
  it.each([
    { count: 3, excluded: 1, places: 3 },
    { count: 100, excluded: 1, places: 4 },
    { count: 100, excluded: 3, places: 4 },
    { count: 100, excluded: 4, places: 16 },
    { count: 100, excluded: 63, places: 64 },
    { count: 100, excluded: 64, places: 100 },
    { count: 100, excluded: 1_000, places: 100 },
    { count: 0, excluded: 1, places: 0 },
  ])('gives $places places for $excluded excluded of $count', ({ count, excluded, places }) => {
    expect(new PreferenceLists(count).take(excluded)).toHaveLength(places);
  });

  it('uses its lists again', () => {
    const lists = new PreferenceLists(1_000);
    expect(lists.take(2)).toBe(lists.take(1));
    expect(lists.take(20)).toBe(lists.take(30));
  });
});

describe('firstAllowed', () => {
  const slots = Int32Array.of(10, 11, 12);

  it('takes the first that is not excluded among those found', () => {
    const list = Int32Array.of(2, 0, 1);
    expect(firstAllowed(slots, list, 3, [])).toBe(12);
    expect(firstAllowed(slots, list, 3, [12, 10])).toBe(11);
    expect(firstAllowed(slots, list, 2, [12, 10])).toBe(NO_SLOT);
    expect(firstAllowed(slots, list, 0, [])).toBe(NO_SLOT);
  });
});

describe('scanAllowed', () => {
  const slots = Int32Array.of(10, 11, 12, 13);

  it('begins where the hash says and goes around', () => {
    // 0xc0000000 is three quarters of 2^32.
    expect(scanAllowed(slots, 0xc000_0000 | 0, [])).toBe(13);
    expect(scanAllowed(slots, 0xc000_0000 | 0, [13])).toBe(10);
    expect(scanAllowed(slots, 0, [10, 11])).toBe(12);
    expect(scanAllowed(slots, -1, [10, 11, 12, 13])).toBe(NO_SLOT);
    expect(scanAllowed(new Int32Array(0), -1, [])).toBe(NO_SLOT);
  });

  it('is what completes a preference list', () => {
    expect(completeOrder([2, 2, 1], 0xc000_0000 | 0, 4)).toEqual([2, 1, 3, 0]);
    expect(completeOrder([], 0, 0)).toEqual([]);
  });
});

describe('explanations', () => {
  const members = keyedMembersOf({
    version: 1,
    slots: Int32Array.of(5, 6, 7),
    weights: Float64Array.of(1, 1, 1),
    endpoints: ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'].map((address) =>
      createEndpoint(address),
    ),
  });
  const shares = [0.25, 0.5, 0.25];

  it('say why the owner of a key is taken, and how the others follow', () => {
    expect(
      explainPreference({ hashKey: 'k' }, { members, order: [1, 2, 0], shares, why: 'its hash' }),
    ).toEqual([
      { slot: 6, shareRatio: 0.5, reason: 'owner of the key: its hash' },
      { slot: 7, shareRatio: 0.25, reason: 'choice 2 for this key' },
      { slot: 5, shareRatio: 0.25, reason: 'choice 3 for this key' },
    ]);
  });

  it('say why another than the owner is taken, and put the excluded last', () => {
    const context = { hashKey: 'k', exclude: [6] };
    expect(
      explainPreference(context, { members, order: [1, 2, 0], shares, why: 'its hash' }),
    ).toEqual([
      {
        slot: 7,
        shareRatio: 0.25,
        reason: 'choice 2, as all before it are excluded by this request: its hash',
      },
      { slot: 5, shareRatio: 0.25, reason: 'choice 3 for this key' },
      { slot: 6, shareRatio: 0.5, reason: 'choice 1, excluded by this request' },
    ]);
  });

  it('give the odds where there is no key', () => {
    expect(explainRandomPick({ exclude: [5] }, members, shares)).toEqual([
      { slot: 6, shareRatio: 0.5, reason: 'no hash key, so the pick is random' },
      { slot: 7, shareRatio: 0.25, reason: 'no hash key, so the pick is random' },
      { slot: 5, shareRatio: 0.25, reason: 'excluded by this request' },
    ]);
  });
});
