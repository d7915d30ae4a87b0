import { describe, expect, it } from 'vitest';
import { ConfigError } from '../error/config-error.ts';
import { encodeBinaryReport, encodeLoadReport } from './encode.ts';
import { createLoadReport, EMPTY_LOAD_REPORT } from './load-report.ts';
import { decodeLoadReport } from './read-load-report.ts';

const REPORT = createLoadReport({
  cpuUtilization: 0.5,
  requestsPerSecond: 12.5,
  utilization: new Map([['disk', 0]]),
  namedMetrics: new Map([['rif', 3]]),
});

describe('writing a report', () => {
  it('has its form in front and leaves out what is not told', () => {
    expect(encodeLoadReport(REPORT)).toBe(
      'TEXT cpu_utilization=0.5, rps_fractional=12.5, utilization.disk=0, named_metrics.rif=3',
    );
    expect(encodeLoadReport(REPORT, 'json')).toBe(
      'JSON {"cpu_utilization":0.5,"rps_fractional":12.5,"utilization":{"disk":0},"named_metrics":{"rif":3}}',
    );
    expect(encodeLoadReport(REPORT, 'binary')).toMatch(/^BIN [A-Za-z0-9+/]+=*$/);
  });

  it('writes what a reader takes also when there is nothing to tell', () => {
    for (const format of ['text', 'json', 'binary'] as const) {
      const value = encodeLoadReport(EMPTY_LOAD_REPORT, format);
      // An empty message is no bytes, and no bytes are no base64: readers see no report, which says as much.
      if (format === 'binary') expect(value).toBe('BIN ');
      else expect(decodeLoadReport(value)).toEqual(EMPTY_LOAD_REPORT);
    }
  });

  it('is binary as protobufjs writes it, fields in the order of this library', () => {
    // cpu 0.5, rps_fractional 12.5, then the maps: the same fields as protobufjs 8.8.1 writes for this message.
    expect(Buffer.from(encodeBinaryReport(REPORT)).toString('hex')).toBe(
      '09000000000000e03f' +
        '310000000000002940' +
        '2a0f0a046469736b110000000000000000' +
        '420e0a03726966110000000000000840',
    );
  });

  it.for([
    ['an empty name', ''],
    ['a comma', 'a,b'],
    ['a sign between name and value', 'a=b'],
    ['a colon', 'a:b'],
    ['a blank', 'a b'],
    ['a line break, which would be another header', 'a\r\nset-cookie'],
    ['a quote', 'a"b'],
    ['a letter outside of ASCII', 'größe'],
    ['129 characters', 'n'.repeat(129)],
  ])('refuses a name with %s, in every form', ([, name = '']) => {
    const report = createLoadReport({ namedMetrics: new Map([[name, 1]]) });
    for (const format of ['text', 'json', 'binary'] as const)
      expect(() => encodeLoadReport(report, format)).toThrow(ConfigError);
    expect(() => encodeBinaryReport(report)).toThrow('named_metrics');
  });

  it('refuses values that are no numbers, and more than 100', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() =>
        encodeLoadReport(createLoadReport({ requestCost: new Map([['db', value]]) })),
      ).toThrow('request_cost.db');
    const many = (count: number): ReadonlyMap<string, number> =>
      new Map(Array.from({ length: count }, (_, index) => [`m${index}`, 1]));
    expect(() => encodeLoadReport(createLoadReport({ namedMetrics: many(100) }))).not.toThrow();
    expect(() => encodeLoadReport(createLoadReport({ namedMetrics: many(101) }))).toThrow(
      'at most 100',
    );
  });
});
