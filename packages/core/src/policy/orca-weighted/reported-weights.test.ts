/** The rules of gRFC A58, section "Subchannel Weights". */
import { describe, expect, it } from 'vitest';
import { createLoadReport, type LoadReport } from '../../load-report/load-report.ts';
import { LoadTable } from '../../model/load-table.ts';
import { NO_WEIGHT, ReportedWeights } from './reported-weights.ts';

const CONFIG = { blackoutMs: 10_000, expiryMs: 180_000, updateMs: 1_000, errorPenalty: 1 };
const START = 1_000_000;

function create(config: Partial<typeof CONFIG> = {}): ReportedWeights {
  return new ReportedWeights({ ...CONFIG, ...config }, new LoadTable({ capacity: 4 }));
}

/** The weight after one report, without a blackout. */
function weightOf(parts: Partial<LoadReport>, errorPenalty = 1): number {
  const weights = create({ blackoutMs: 0, errorPenalty });
  weights.observe(0, createLoadReport(parts), START);
  return weights.weightAt(0, START);
}

const GOOD = createLoadReport({ requestsPerSecond: 100, cpuUtilization: 0.5 });

describe('a reported weight', () => {
  it.for<[string, Partial<LoadReport>, number]>([
    ['the rate at full use', { requestsPerSecond: 100, cpuUtilization: 0.5 }, 200],
    [
      'by the application rather than the CPU',
      { requestsPerSecond: 100, cpuUtilization: 0.5, applicationUtilization: 0.25 },
      400,
    ],
    ['of one that is past its limit', { requestsPerSecond: 100, applicationUtilization: 1.25 }, 80],
    ['less for errors', { requestsPerSecond: 100, cpuUtilization: 0.5, errorsPerSecond: 30 }, 125],
    [
      'of one that only fails',
      { requestsPerSecond: 100, cpuUtilization: 0.25, errorsPerSecond: 100 },
      80,
    ],
  ])('is %s', ([, parts, expected]) => {
    expect(weightOf(parts)).toBeCloseTo(expected, 9);
  });

  it('is never so small that it would be none', () => {
    expect(weightOf({ requestsPerSecond: 1e-300, cpuUtilization: 1e12 })).toBe(1e-12);
    expect(weightOf({ requestsPerSecond: 1e-300, cpuUtilization: 1, errorsPerSecond: 1e12 })).toBe(
      1e-12,
    );
  });

  it('counts errors as much as it is told', () => {
    const parts = { requestsPerSecond: 100, cpuUtilization: 0.5, errorsPerSecond: 50 };
    expect(weightOf(parts, 0)).toBe(200);
    expect(weightOf(parts, 3)).toBe(50);
  });

  it.for<[string, Partial<LoadReport>]>([
    ['no rate', { cpuUtilization: 0.5 }],
    ['no utilisation', { requestsPerSecond: 100 }],
    ['nothing', {}],
    ['only a named utilisation', { requestsPerSecond: 100, utilization: new Map([['disk', 0.5]]) }],
    ['numbers that are none', { requestsPerSecond: Number.NaN, cpuUtilization: 0.5 }],
    [
      'errors that are none',
      { requestsPerSecond: 1, cpuUtilization: 0.5, errorsPerSecond: Number.NaN },
    ],
    ['negative ones', { requestsPerSecond: -1, cpuUtilization: 0.5 }],
    ['a result beyond all doubles', { requestsPerSecond: 1e300, cpuUtilization: 1e-300 }],
    ['a result above 10^15', { requestsPerSecond: 1e12, cpuUtilization: 1e-4 }],
  ])('is not had from a report with %s, which changes nothing', ([, parts]) => {
    const weights = create({ blackoutMs: 0 });
    expect(weights.observe(0, createLoadReport(parts), START)).toBe(false);
    expect(weights.weightAt(0, START)).toBe(NO_WEIGHT);
    expect(weights.observe(0, GOOD, START + 1)).toBe(true);
    weights.observe(0, createLoadReport(parts), START + 2);
    expect(weights.weightAt(0, START + 3)).toBe(200);
  });

  it('counts after the blackout, which begins with the first report that tells something', () => {
    const weights = create();
    expect(weights.blackoutMs(0, START)).toBe(Number.POSITIVE_INFINITY);
    weights.observe(0, createLoadReport({ cpuUtilization: 1 }), START - 5_000);
    for (let at = START; at < START + 10_000; at += 1_000) {
      weights.observe(0, GOOD, at);
      expect(weights.weightAt(0, at + 999)).toBe(NO_WEIGHT);
    }
    expect(weights.blackoutMs(0, START + 9_999)).toBe(1);
    expect(weights.weightAt(0, START + 10_000)).toBe(200);
  });

  it('is forgotten when nothing is heard for the expiry, and has a blackout again then', () => {
    const weights = create();
    weights.observe(0, GOOD, START);
    expect(weights.weightAt(0, START + 179_999)).toBe(200);
    expect(weights.weightAt(0, START + 180_000)).toBe(NO_WEIGHT);
    weights.observe(0, GOOD, START + 200_000);
    expect(weights.weightAt(0, START + 209_999)).toBe(NO_WEIGHT);
    expect(weights.weightAt(0, START + 210_000)).toBe(200);
  });

  it('is the latest, and does not expire while reports come', () => {
    const weights = create();
    for (let at = START; at <= START + 600_000; at += 100_000) weights.observe(0, GOOD, at);
    const faster = createLoadReport({ requestsPerSecond: 300, cpuUtilization: 0.5 });
    weights.observe(0, faster, START + 700_000);
    expect(weights.weightAt(0, START + 700_000)).toBe(600);
  });

  it('belongs to the endpoint of a slot, not to the slot', () => {
    const load = new LoadTable({ capacity: 2 });
    const { bytesPerSlot } = load;
    const weights = new ReportedWeights({ ...CONFIG, blackoutMs: 0 }, load);
    weights.observe(0, GOOD, START);
    weights.observe(1, GOOD, START);
    load.resetSlot(0);
    expect(weights.weightAt(0, START)).toBe(NO_WEIGHT);
    expect(weights.weightAt(1, START)).toBe(200);
    weights.close();
    expect(load.bytesPerSlot).toBe(bytesPerSlot);
  });
});
