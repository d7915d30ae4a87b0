import { afterEach, describe, expect, it } from 'vitest';
import { ask, Closers, hello, scripted } from '../test-support/reporter-bench.ts';
import { createLoadReporter, type LoadReporter } from './load-reporter.ts';

const closers = new Closers();
afterEach(() => closers.close());

describe('what the application tells', () => {
  it('is asked about ten times per window, not for every answer', async () => {
    let asked = 0;
    const { reporter, clock } = scripted({ utilization: () => ++asked / 100 });
    const port = await closers.listen(reporter.wrap(hello));
    expect(asked).toBe(1);
    for (let request = 0; request < 5; request++) await ask(port);
    expect(asked).toBe(1);
    clock.set(100);
    const { report } = await ask(port);
    expect(asked).toBe(2);
    expect(report?.applicationUtilization).toBe(0.02);
  });

  it('costs no request when it throws later on or makes no sense: the numbers before it stay', async () => {
    let tell: () => Record<string, number> = () => ({ queue: 1 });
    const { reporter, clock } = scripted({ namedMetrics: () => tell() });
    const port = await closers.listen(reporter.wrap(hello));
    const wrong: readonly (() => Record<string, number>)[] = [
      () => {
        throw new Error('database is gone');
      },
      () => ({ 'bad name\r\n': 1 }),
      () => ({ queue: Number.NaN }),
    ];
    for (const [at, each] of wrong.entries()) {
      tell = each;
      clock.set((at + 1) * 100);
      const { status, report } = await ask(port);
      expect([status, report?.namedMetrics.get('queue')]).toEqual([200, 1]);
    }
    tell = () => ({ queue: 2 });
    clock.set(1_000);
    expect((await ask(port)).report?.namedMetrics.get('queue')).toBe(2);
  });

  it.for(['text', 'json', 'binary'] as const)(
    'is checked when the reporter is made, for %s',
    (format) => {
      const make = (named: Readonly<Record<string, number>>) => (): LoadReporter =>
        scripted({ format, namedMetrics: () => named }).reporter;
      expect(make({ 'a b': 1 })).toThrow('named_metrics');
      expect(make({ rif: 1 })).toThrow('names other than rif and latency_ms');
      expect(make({ latency_ms: 1 })).toThrow('names other than');
      const many = (count: number, length: number): Record<string, number> =>
        Object.fromEntries(
          Array.from({ length: count }, (_, at) => [`m${at}`.padEnd(length, 'x'), at]),
        );
      expect(make(many(98, 10))).not.toThrow();
      expect(make(many(99, 10))).toThrow('at most 100');
      // 90 names of 120 characters are more than a reader looks at.
      expect(make(many(90, 120))).toThrow('at most 8192 characters');
    },
  );

  it.for<[string, object, string]>([
    ['a form that there is not', { format: 'xml' }, 'loadReporter.format'],
    ['a window that is too short', { windowMs: 10 }, 'loadReporter.windowMs'],
    ['a place that there is not', { placement: 'footer' }, 'loadReporter.placement'],
    ['a number for a function', { utilization: 0.5 }, 'loadReporter.utilization'],
    ['an unknown option', { utilisation: () => 1 }, 'loadReporter.utilisation'],
  ])('must be well formed: not %s', ([, options, path]) => {
    expect(() => createLoadReporter(options)).toThrow(path);
  });

  it('counts as nothing where it is no share', () => {
    for (const value of [Number.NaN, -1, Number.POSITIVE_INFINITY, 1e13]) {
      expect(scripted({ utilization: () => value }).reporter.report().applicationUtilization).toBe(
        0,
      );
    }
  });
});
