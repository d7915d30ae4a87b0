/** Reports come from outside with every answer: whatever they are, reading them ends, throws nothing and costs little. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMetricName, MAX_FIELD } from './bounds.ts';
import { decodeBinaryReport } from './decode-binary.ts';
import { encodeBinaryReport, encodeLoadReport, type LoadReportFormat } from './encode.ts';
import {
  createLoadReport,
  isSaneAnswer,
  type LoadReport,
  type NamedValues,
} from './load-report.ts';
import { decodeProbeAnswer, encodeProbeAnswer } from './probe-answer.ts';
import { decodeLoadReport, readLoadReport } from './read-load-report.ts';

const RUNS = { seed: 7, numRuns: 500 };
const FORMATS: readonly LoadReportFormat[] = ['text', 'json', 'binary'];

/** Not told, or told: above 0 and within the bounds, denormals included. */
const share = fc.oneof(
  fc.constant(0),
  fc.double({ min: Number.MIN_VALUE, max: MAX_FIELD, noNaN: true }),
);
const name = fc
  .string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 128,
  })
  .filter(isMetricName);
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);

function values(value: fc.Arbitrary<number>): fc.Arbitrary<NamedValues> {
  return fc.array(fc.tuple(name, value), { maxLength: 12 }).map((entries) => new Map(entries));
}

const anyReport: fc.Arbitrary<LoadReport> = fc
  .record({
    cpuUtilization: share,
    memoryUtilization: share,
    applicationUtilization: share,
    requestsPerSecond: share,
    errorsPerSecond: share,
    utilization: values(share),
    requestCost: values(finite),
    namedMetrics: values(finite),
  })
  .map(createLoadReport);

/** A good value with a few characters changed, taken out or put in. */
const mutated: fc.Arbitrary<string> = fc
  .tuple(
    anyReport,
    fc.constantFrom(...FORMATS),
    fc.array(fc.tuple(fc.nat(), fc.string({ maxLength: 3, unit: 'binary' }), fc.nat(3)), {
      minLength: 1,
      maxLength: 6,
    }),
  )
  .map(([report, format, changes]) => {
    let text = encodeLoadReport(report, format);
    for (const [place, insert, remove] of changes) {
      const at = place % (text.length + 1);
      text = text.slice(0, at) + insert + text.slice(at + remove);
    }
    return text;
  });

/** What every report that was read holds, whatever it was read from. */
function expectSane(report: LoadReport | undefined): void {
  if (report === undefined) return;
  const { utilization, requestCost, namedMetrics, ...fields } = report;
  for (const value of [...Object.values(fields), ...utilization.values()]) {
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThanOrEqual(MAX_FIELD);
  }
  for (const value of [...requestCost.values(), ...namedMetrics.values()])
    expect(Number.isFinite(value)).toBe(true);
  const names = [...utilization.keys(), ...requestCost.keys(), ...namedMetrics.keys()];
  expect(names.length).toBeLessThanOrEqual(128);
  for (const key of names) {
    expect(key.length).toBeGreaterThan(0);
    expect(key.length).toBeLessThanOrEqual(128);
  }
}

describe('load reports', () => {
  it('come back from every form as they were', () => {
    fc.assert(
      fc.property(anyReport, (report) => {
        const bytes = encodeBinaryReport(report);
        expect(decodeBinaryReport(bytes)).toEqual(report);
        for (const format of FORMATS) {
          const value = encodeLoadReport(report, format);
          // What is longer than its reader takes was never meant to come back.
          if (value.length > 8_192) continue;
          if (format === 'binary' && bytes.length === 0) continue;
          expect(decodeLoadReport(value), format).toEqual(report);
          expect(readLoadReport({ 'endpoint-load-metrics': value })).toEqual(report);
        }
      }),
      { ...RUNS, numRuns: 300 },
    );
  });

  it('are good or refused when they were tampered with', () => {
    fc.assert(
      fc.property(mutated, (value) =>
        expectSane(readLoadReport({ 'endpoint-load-metrics': value })),
      ),
      { ...RUNS, numRuns: 2_000 },
    );
  });

  it('are good or refused when they are anything at all', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.json({ maxDepth: 4 }),
      fc.base64String({ maxLength: 300 }),
    );
    const prefix = fc.constantFrom('', 'TEXT ', 'JSON ', 'BIN ');
    fc.assert(
      fc.property(prefix, anything, (form, value) => {
        expectSane(decodeLoadReport(form + value));
        expectSane(readLoadReport({ 'endpoint-load-metrics-bin': value }));
      }),
      { ...RUNS, numRuns: 2_000 },
    );
  });

  it('are good or refused as bytes, random and tampered with', () => {
    const tampered = fc
      .tuple(anyReport, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(40))
      .map(([report, changes, cut]) => {
        const bytes = Uint8Array.from(encodeBinaryReport(report));
        for (const [place, value] of changes)
          if (bytes.length > 0) bytes[place % bytes.length] = value;
        return bytes.subarray(0, Math.max(0, bytes.length - cut));
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), tampered), (bytes) =>
        expectSane(decodeBinaryReport(bytes)),
      ),
      { ...RUNS, numRuns: 3_000 },
    );
  });

  it('are refused unread beyond their bounds', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 50 }),
        fc.nat(3),
        (part, form) => {
          const prefix = ['TEXT ', 'JSON ', 'BIN ', ''][form] ?? '';
          const long = prefix + part.repeat(Math.ceil(9_000 / part.length));
          expect(decodeLoadReport(long)).toBeUndefined();
          expect(readLoadReport({ 'endpoint-load-metrics-bin': long })).toBeUndefined();
        },
      ),
      { ...RUNS, numRuns: 100 },
    );
  });
});

describe('answers to probes', () => {
  it('come back with four digits', () => {
    const sane = fc.record({
      requestsInFlight: fc.nat(1e9),
      latencyMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
      errorRatio: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(sane, (answer) => {
        const read = decodeProbeAnswer(encodeProbeAnswer(answer));
        expect(read?.requestsInFlight).toBe(answer.requestsInFlight);
        for (const key of ['latencyMs', 'errorRatio'] as const)
          expect(Math.abs((read?.[key] ?? NaN) - answer[key])).toBeLessThanOrEqual(
            answer[key] * 5e-4,
          );
      }),
      RUNS,
    );
  });

  it('are good or refused, whatever they are', () => {
    const fields = fc.record(
      { rif: fc.anything(), latencyMs: fc.anything(), errorRatio: fc.anything() },
      { requiredKeys: [] },
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 1_200 }),
      fc.json(),
      fields.map((value) => safeStringify(value)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const answer = decodeProbeAnswer(text);
        if (answer !== undefined) expect(isSaneAnswer(answer)).toBe(true);
      }),
      { ...RUNS, numRuns: 2_000 },
    );
  });
});

/** Not everything that fast-check makes up has a JSON form. */
function safeStringify(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}
