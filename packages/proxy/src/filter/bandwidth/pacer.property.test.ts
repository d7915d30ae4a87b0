import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pacer } from './pacer.ts';

const SEED = 20_236;
const chunks = fc.array(
  fc.record({ pauseMs: fc.nat(2_000), bytes: fc.integer({ min: 1, max: 200_000 }) }),
  { minLength: 1, maxLength: 40 },
);

describe('a pacer', () => {
  it('never lets more through than the burst and the rate say, in no interval', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_024, max: 1_000_000 }),
        fc.nat(100_000),
        chunks,
        (rate, burst, steps) => {
          const pacer = new Pacer(rate, burst);
          const sent: { atMs: number; bytes: number }[] = [];
          let nowMs = 0;
          for (const { pauseMs, bytes } of steps) {
            nowMs += pauseMs;
            // Like a body: the next chunk is not read before this one has gone.
            nowMs += pacer.take(nowMs, bytes);
            sent.push({ atMs: nowMs, bytes });
          }
          for (let from = 0; from < sent.length; from++) {
            let sum = 0;
            for (let to = from; to < sent.length; to++) {
              sum += sent[to]!.bytes;
              const elapsedMs = sent[to]!.atMs - (from === 0 ? 0 : sent[from - 1]!.atMs);
              expect(sum).toBeLessThanOrEqual(burst + (rate * elapsedMs) / 1_000 + 1);
            }
          }
        },
      ),
      { seed: SEED },
    );
  });

  it('keeps to the rate, and does not fall below it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_024, max: 1_000_000 }), chunks, (rate, steps) => {
        const pacer = new Pacer(rate, 0);
        const total = steps.reduce((sum, { bytes }) => sum + bytes, 0);
        const endMs = steps.reduce((nowMs, { bytes }) => nowMs + pacer.take(nowMs, bytes), 0);
        expect(endMs).toBeCloseTo((total / rate) * 1_000, 3);
      }),
      { seed: SEED },
    );
  });
});
