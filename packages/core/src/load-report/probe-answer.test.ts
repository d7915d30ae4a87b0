import { describe, expect, it } from 'vitest';
import {
  answerOfReport,
  createLoadReport,
  type LoadReport,
  type ProbeAnswer,
} from './load-report.ts';
import { decodeProbeAnswer, encodeProbeAnswer } from './probe-answer.ts';

describe('an answer to a probe', () => {
  it('is a small JSON object', () => {
    const answer = { requestsInFlight: 3, latencyMs: 12.345678, errorRatio: 0.25 };
    expect(encodeProbeAnswer(answer)).toBe('{"rif":3,"latencyMs":12.35,"errorRatio":0.25}');
  });

  it('needs the requests in flight and nothing else, and may have more', () => {
    expect(decodeProbeAnswer('{"rif":7}')).toEqual({
      requestsInFlight: 7,
      latencyMs: 0,
      errorRatio: 0,
    });
    expect(decodeProbeAnswer('{"rif":0,"latencyMs":5,"errorRatio":1,"host":"a"}')).toEqual({
      requestsInFlight: 0,
      latencyMs: 5,
      errorRatio: 1,
    });
  });

  it.for([
    '',
    'null',
    '7',
    '[]',
    '{}',
    '{"rif":"7"}',
    '{"rif":-1}',
    '{"rif":1e11}',
    '{"rif":1e999}',
    '{"rif":1,"latencyMs":-0.1}',
    '{"rif":1,"latencyMs":null}',
    '{"rif":1,"errorRatio":1.01}',
    '{"rif":1',
    '<html>not found</html>',
    `{"rif":1}${' '.repeat(1_016)}`,
  ])('is none: %s', (text) => {
    expect(decodeProbeAnswer(text)).toBeUndefined();
  });

  it('is in a load report that tells the requests in flight', () => {
    const cases: readonly (readonly [Partial<LoadReport>, ProbeAnswer | undefined])[] = [
      [{ cpuUtilization: 0.5 }, undefined],
      [
        { namedMetrics: new Map([['rif', 2]]) },
        { requestsInFlight: 2, latencyMs: 0, errorRatio: 0 },
      ],
      [
        {
          namedMetrics: new Map([
            ['rif', 2],
            ['latency_ms', 8],
          ]),
          requestsPerSecond: 10,
          errorsPerSecond: 5,
        },
        { requestsInFlight: 2, latencyMs: 8, errorRatio: 0.5 },
      ],
      // More errors than requests are all of them.
      [
        { namedMetrics: new Map([['rif', 0]]), requestsPerSecond: 1, errorsPerSecond: 9 },
        { requestsInFlight: 0, latencyMs: 0, errorRatio: 1 },
      ],
      [{ namedMetrics: new Map([['rif', -1]]) }, undefined],
      [{ namedMetrics: new Map([['rif', 1e300]]) }, undefined],
      [
        {
          namedMetrics: new Map([
            ['rif', 1],
            ['latency_ms', -5],
          ]),
        },
        undefined,
      ],
    ];
    for (const [parts, expected] of cases)
      expect(answerOfReport(createLoadReport(parts))).toEqual(expected);
  });
});
