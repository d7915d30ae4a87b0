import { describe, expect, it } from 'vitest';
import {
  type GuardOptions,
  type GuardRules,
  parseGuard,
  parseLimits,
  parseRules,
  type Rate,
} from './guard-options.ts';

describe('a rate', () => {
  const of = (rate: Rate) => parseLimits({ packets: rate }, 'limits').packets;

  it.each<[Rate, bigint, bigint]>([
    // A thousand a second: one in a million ns; a burst of 100 is 99 ahead of its time.
    [{ perSecond: 1_000 }, 1_000_000n, 99_000_000n],
    [{ perSecond: 1_000, burst: 20 }, 1_000_000n, 19_000_000n],
    [{ perSecond: 1 }, 1_000_000_000n, 9_000_000_000n],
    [{ perSecond: 1, burst: 1 }, 1_000_000_000n, 0n],
    [{ perSecond: 100_000_000 }, 10n, 99_999_990n],
  ])('%j is %d ns, %d ahead', (rate, interval, burst) => {
    expect(of(rate)).toEqual({ interval, burst });
  });

  it.each<[string, Rate]>([
    ['perSecond', { perSecond: 0 }],
    ['perSecond', { perSecond: Number.NaN }],
    ['perSecond', { perSecond: 1e9 }],
    ['burst', { perSecond: 1_000, burst: 19 }],
    ['burst', { perSecond: 1, burst: 0 }],
    ['burst', { perSecond: 1, burst: 1.5 }],
  ])('has a right %s, unlike %j', (name, rate) => {
    expect(() => of(rate)).toThrow(`limits.packets.${name}: expected`);
  });
});

describe('rules', () => {
  it.each<[string, GuardRules]>([
    ['deny[0]', { deny: ['x'] }],
    ['allow[1]', { allow: ['10.0.0.0/8', '10.0.0.1/8'] }],
    ['each prefix once', { deny: ['10.0.0.0/8'], allow: ['10.0.0.0/8'] }],
    ['others', { others: 'drop' as 'deny' }],
    ['perSource.newFlows', { perSource: { newFlows: { perSecond: -1 } } }],
  ])('are refused: %s', (message, rules) => {
    expect(() => parseRules(rules)).toThrow(message);
  });
});

describe('room for a guard', () => {
  it.each<[GuardOptions | undefined, boolean, number]>([
    [undefined, false, 1],
    [{}, true, 32_768],
    [{ trackedSources: 1_024, everyPacket: false }, false, 512],
    [{ trackedSources: 3_000 }, true, 2_048],
  ])('%j', (options, isInspecting, sourceBuckets) => {
    expect(parseGuard(options)).toMatchObject({ isInspecting, sourceBuckets });
  });

  it('is within bounds', () => {
    expect(() => parseGuard({ trackedSources: 10 })).toThrow('guard.trackedSources');
  });
});
