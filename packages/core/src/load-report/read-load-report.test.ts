import { describe, expect, it } from 'vitest';
import { createLoadReport, EMPTY_LOAD_REPORT, type LoadReport } from './load-report.ts';
import { decodeLoadReport, readLoadReport } from './read-load-report.ts';

/** The text of a list with this many pairs. */
function pairs(count: number): string {
  return Array.from({ length: count }, (_, index) => `named_metrics.m${index}=1`).join(',');
}

const ALL_FIELDS = createLoadReport({
  cpuUtilization: 0.5,
  memoryUtilization: 0.25,
  applicationUtilization: 0.9,
  requestsPerSecond: 12.5,
  errorsPerSecond: 0.75,
  requestCost: new Map([['db', 2]]),
  utilization: new Map([['disk', 0.125]]),
  namedMetrics: new Map([['rif', 3]]),
});

describe('a report as text', () => {
  it.for<[string, string, Partial<LoadReport>]>([
    ['one pair', 'cpu_utilization=0.3', { cpuUtilization: 0.3 }],
    ['several', 'cpu_utilization=0.3, eps=2', { cpuUtilization: 0.3, errorsPerSecond: 2 }],
    ['a prefix', 'TEXT eps=2', { errorsPerSecond: 2 }],
    [
      'colons, as older senders write',
      'cpu_utilization:0.3,mem_utilization:0.8',
      { cpuUtilization: 0.3, memoryUtilization: 0.8 },
    ],
    ['short names', 'cpu=0.3,mem=0.8', { cpuUtilization: 0.3, memoryUtilization: 0.8 }],
    ['the old name of the rate', 'rps=7', { requestsPerSecond: 7 }],
    [
      'both names of the rate: the fraction counts',
      'rps=7,rps_fractional=7.25',
      { requestsPerSecond: 7.25 },
    ],
    [
      'blanks around everything',
      '  eps =  2 ,\tcpu = 1 ',
      { errorsPerSecond: 2, cpuUtilization: 1 },
    ],
    ['empty elements', ',eps=2,,', { errorsPerSecond: 2 }],
    [
      'exponents and signs',
      'eps=+2e1,cpu=.5,mem=5.',
      { errorsPerSecond: 20, cpuUtilization: 0.5, memoryUtilization: 5 },
    ],
    ['more than the limit of a resource', 'cpu_utilization=1.7', { cpuUtilization: 1.7 }],
    ['a minus before 0', 'eps=-0', { errorsPerSecond: 0 }],
    ['names that nobody knows', 'eps=2,colour=3,other.thing=4', { errorsPerSecond: 2 }],
    ['dots in a name', 'named_metrics.a.b=-1.5', { namedMetrics: new Map([['a.b', -1.5]]) }],
    [
      'names of prototypes',
      'named_metrics.__proto__=1',
      { namedMetrics: new Map([['__proto__', 1]]) },
    ],
    ['the largest rate', 'rps_fractional=1e12', { requestsPerSecond: 1e12 }],
  ])('with %s', ([, text, expected]) => {
    expect(decodeLoadReport(text)).toEqual(createLoadReport(expected));
  });

  it.for([
    ['nothing', ''],
    ['only commas', ' , ,'],
    ['no separator', 'cpu_utilization'],
    ['no name', '=1'],
    ['no value', 'eps='],
    ['a word for a number', 'eps=NaN'],
    ['infinity', 'eps=Infinity'],
    ['a number beyond all doubles', 'eps=1e999'],
    ['a hexadecimal number', 'eps=0x10'],
    ['two numbers', 'eps=1 2'],
    ['a negative rate', 'rps_fractional=-1'],
    ['a negative share', 'cpu_utilization=-0.1'],
    ['a negative named share', 'utilization.disk=-0.1'],
    ['a rate of more than 10^12', 'rps_fractional=1.1e12'],
    ['a named share of more than 10^12', 'utilization.disk=1e13'],
    ['a name twice', 'eps=1,eps=1'],
    ['two reports in one', 'TEXT eps=1, TEXT cpu=1'],
    ['an empty name in a map', 'named_metrics.=1'],
    ['one bad pair among good ones', 'cpu=0.5,eps=bad'],
    ['a number of many digits', `eps=0.${'1'.repeat(40)}`],
    ['a name of 129 characters', `named_metrics.${'n'.repeat(129)}=1`],
    ['129 values', pairs(129)],
    ['8,193 characters', `eps=1${' '.repeat(8_188)}`],
  ])('is refused with %s', ([, text = '']) => {
    expect(decodeLoadReport(text)).toBeUndefined();
  });

  it('is taken up to its bounds', () => {
    expect(decodeLoadReport(pairs(128))?.namedMetrics.size).toBe(128);
    expect(decodeLoadReport(`named_metrics.${'n'.repeat(128)}=1`)?.namedMetrics.size).toBe(1);
    expect(decodeLoadReport(`eps=1${' '.repeat(8_187)}`)?.errorsPerSecond).toBe(1);
  });
});

describe('a report as JSON', () => {
  it.for<[string, string, Partial<LoadReport>]>([
    [
      'the names of the message',
      '{"cpu_utilization":0.3,"rps_fractional":10}',
      { cpuUtilization: 0.3, requestsPerSecond: 10 },
    ],
    [
      'names of proto3 JSON',
      '{"cpuUtilization":0.3,"namedMetrics":{"a":1}}',
      { cpuUtilization: 0.3, namedMetrics: new Map([['a', 1]]) },
    ],
    ['numbers in strings', '{"rps":"1000"}', { requestsPerSecond: 1_000 }],
    ['fields of null', '{"eps":null,"cpu_utilization":1}', { cpuUtilization: 1 }],
    ['fields that nobody knows', '{"eps":1,"colour":{"deep":[1]}}', { errorsPerSecond: 1 }],
    ['no field', '{}', {}],
    [
      'names of prototypes',
      '{"__proto__":{"eps":1},"named_metrics":{"__proto__":2}}',
      { namedMetrics: new Map([['__proto__', 2]]) },
    ],
    [
      'blanks in a name',
      '{"utilization":{"gpu 0":1.5}}',
      { utilization: new Map([['gpu 0', 1.5]]) },
    ],
  ])('with %s', ([, text, expected]) => {
    expect(decodeLoadReport(text)).toEqual(createLoadReport(expected));
    expect(decodeLoadReport(`JSON ${text}`)).toEqual(createLoadReport(expected));
  });

  it.for([
    ['half of an object', '{"eps":1'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a number', '3'],
    ['a list for a map', '{"named_metrics":[1]}'],
    ['a map for a number', '{"eps":{}}'],
    ['a flag for a number', '{"eps":true}'],
    ['words for numbers, which proto3 JSON knows', '{"eps":"Infinity"}'],
    ['a blank string', '{"eps":""}'],
    ['a negative rate', '{"eps":-1}'],
    ['a number beyond all doubles', '{"eps":1e999}'],
    ['more than 10^12', '{"eps":1e13}'],
    ['a map in a map', '{"named_metrics":{"a":{"b":1}}}'],
    ['a deep nest', `${'['.repeat(8_000)}`],
    [
      '129 values',
      JSON.stringify({
        named_metrics: Object.fromEntries(Array.from({ length: 129 }, (_, at) => [`m${at}`, 1])),
      }),
    ],
  ])('is refused with %s', ([, text = '']) => {
    expect(decodeLoadReport(`JSON ${text}`)).toBeUndefined();
  });
});

describe('the headers of an answer', () => {
  it('have no report most of the time', () => {
    expect(readLoadReport({})).toBeUndefined();
    expect(readLoadReport({ 'content-type': 'text/plain' })).toBeUndefined();
  });

  it('say in front which form it has, and of a list the first counts', () => {
    expect(readLoadReport({ 'endpoint-load-metrics': 'TEXT eps=1' })?.errorsPerSecond).toBe(1);
    expect(
      readLoadReport({ 'endpoint-load-metrics': ['JSON {"eps":2}', 'TEXT eps=1'] })
        ?.errorsPerSecond,
    ).toBe(2);
    expect(readLoadReport({ 'endpoint-load-metrics': 'BIN CTMzMzMzM9M/' })?.cpuUtilization).toBe(
      0.3,
    );
    expect(readLoadReport({ 'endpoint-load-metrics': [] })).toBeUndefined();
  });

  it('have base64 under the name for binary, padded or not, alone or joined by commas', () => {
    for (const value of ['OQAAAAAAAPA/', 'OQAAAAAAAPA/,OQAAAAAAAPA/']) {
      expect(readLoadReport({ 'endpoint-load-metrics-bin': value })).toEqual(
        // Field 7, eps, 8 bytes: 0x39 and the double 1.
        createLoadReport({ errorsPerSecond: 1 }),
      );
    }
    const padded = Buffer.from('18ac02', 'hex').toString('base64');
    expect(readLoadReport({ 'endpoint-load-metrics-bin': padded })?.requestsPerSecond).toBe(300);
    // Two more bytes of an unknown field: now the base64 ends in padding.
    const longer = Buffer.from('18ac027801', 'hex').toString('base64');
    expect(longer.endsWith('=')).toBe(true);
    for (const value of [longer, longer.replace(/=+$/, '')])
      expect(readLoadReport({ 'endpoint-load-metrics-bin': value })?.requestsPerSecond).toBe(300);
  });

  it.for(['', '=', '====', 'A', 'OQAAAAAAAPA', 'O QAAAAAAAPA/', 'OQAAAAAAAPA_', 'A'.repeat(8_193)])(
    'are refused with %s for base64',
    (value) => {
      expect(readLoadReport({ 'endpoint-load-metrics-bin': value })).toBeUndefined();
      expect(readLoadReport({ 'endpoint-load-metrics': `BIN ${value}` })).toBeUndefined();
    },
  );

  it('lose nothing but the report when it is malformed', () => {
    expect(readLoadReport({ 'endpoint-load-metrics': '\u0000\uffff' })).toBeUndefined();
    // The name for text goes first, even so: one answer has one report.
    expect(
      readLoadReport({
        'endpoint-load-metrics': 'bad',
        'endpoint-load-metrics-bin': 'OQAAAAAAAPA/',
      }),
    ).toBeUndefined();
  });
});

it('an empty report is the same object each time', () => {
  expect(decodeLoadReport('{}')).toBe(EMPTY_LOAD_REPORT);
  expect(createLoadReport({})).toEqual(EMPTY_LOAD_REPORT);
  expect(ALL_FIELDS.namedMetrics.get('rif')).toBe(3);
});
