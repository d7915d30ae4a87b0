import { createRandom } from '@evenkeel/core';
import { createManualRuntime } from '@evenkeel/core/testing';
import { describe, expect, it } from 'vitest';
import type { FaultConfig } from '../config/route-feature-schema.ts';
import type { FilterAnswer, FilterRequest } from '../filter/filter.ts';
import { FaultFilter } from './fault-filter.ts';

function filterOf(config: Partial<FaultConfig>): FaultFilter {
  const { scheduler } = createManualRuntime();
  const whole = { delay: undefined, abort: undefined, header: undefined, ...config };
  return new FaultFilter(whole, { random: createRandom(3), scheduler });
}

const request = (headers: Readonly<Record<string, string>> = {}): FilterRequest =>
  ({
    header: (name: string) => headers[name],
    signal: new AbortController().signal,
  }) as unknown as FilterRequest;

describe('a fault', () => {
  it('meets as many requests as it should', () => {
    const filter = filterOf({ abort: { status: 503, percent: 20 } });
    const draws = 20_000;
    let count = 0;
    for (let draw = 0; draw < draws; draw++) if (filter.onRequest(request()) !== undefined) count++;
    // Five standard deviations of a binomial.
    expect(Math.abs(count - draws * 0.2)).toBeLessThan(5 * Math.sqrt(draws * 0.2 * 0.8));
  });

  it('meets only requests with the header, where one is named', () => {
    const filter = filterOf({ abort: { status: 503, percent: 100 }, header: 'x-fault' });
    expect(filter.onRequest(request())).toBeUndefined();
    const answer = filter.onRequest(request({ 'x-fault': '' })) as FilterAnswer;
    expect(answer).toEqual({ status: 503, reason: 'fault', delayMs: 0 });
  });
});
