import { describe, expect, it } from 'vitest';
import { messageOf } from '../../error/evenkeel-error.ts';
import {
  a,
  aaaa,
  cname,
  soa,
  srv,
  TYPE,
  u16,
  writeMessage,
  writeName,
} from '../test-support/dns-wire.ts';
import { recordedAnswer } from '../test-support/recorded-answers.ts';
import { decodeMessage } from './message.ts';

const question = { name: 'a.test', type: TYPE.A };

describe('decodeMessage, of real servers', () => {
  it.each([
    {
      server: 'unbound',
      name: 'a.svc.test',
      type: 1,
      addresses: ['127.0.0.1', '127.0.0.2'],
      ttl: 20,
    },
    { server: 'unbound', name: 'a.svc.test', type: 28, addresses: ['0:0:0:0:0:0:0:1'], ttl: 20 },
    { server: 'dnsmasq', name: 'b1.svc.test', type: 1, addresses: ['127.0.0.11'], ttl: 7 },
    { server: 'dnsmasq', name: 'b1.svc.test', type: 28, addresses: ['0:0:0:0:0:0:0:11'], ttl: 7 },
  ] as const)(
    'reads addresses of $server: $addresses',
    ({ server, name, type, addresses, ttl }) => {
      const message = decodeMessage(recordedAnswer(server, name, type));
      expect(message).toMatchObject({ id: 0x1234, responseCode: 0, truncated: false });
      expect(message.questions).toEqual([{ name, type, class: 1 }]);
      expect(message.answers).toEqual(
        addresses.map((address) => ({
          name,
          ttlSeconds: ttl,
          data: { type: 'address', family: type === 1 ? 4 : 6, address },
        })),
      );
    },
  );

  it('reads SRV records with additional addresses', () => {
    const message = decodeMessage(recordedAnswer('dnsmasq', '_http._tcp.web.svc.test', 33));
    expect(message.answers.map(({ data }) => data)).toEqual([
      { type: 'service', priority: 20, weight: 0, port: 8082, target: 'b2.svc.test' },
      { type: 'service', priority: 10, weight: 60, port: 8081, target: 'b1.svc.test' },
    ]);
    expect(message.additionals.map(({ name, data }) => [name, data.type])).toEqual([
      ['b1.svc.test', 'address'],
      ['b1.svc.test', 'address'],
      ['b2.svc.test', 'address'],
    ]);
  });

  it('reads an alias and the negative TTL of an SOA record', () => {
    expect(decodeMessage(recordedAnswer('dnsmasq', 'www.svc.test', 1)).answers[0]?.data).toEqual({
      type: 'alias',
      target: 'b1.svc.test',
    });
    const nothing = decodeMessage(recordedAnswer('unbound', 'none.svc.test', 1));
    expect(nothing.responseCode).toBe(3);
    expect(nothing.authorities).toEqual([
      { name: 'svc.test', ttlSeconds: 30, data: { type: 'authority', minimumTtlSeconds: 30 } },
    ]);
  });
});

describe('decodeMessage', () => {
  it('leaves out unknown types and other classes, and ignores what follows the last record', () => {
    const txt = { name: 'a.test', type: TYPE.TXT, ttl: 1, data: Buffer.from([3, 1, 2, 3]) };
    const chaos = { ...a('a.test', '10.0.0.9'), class: 3 };
    const bytes = writeMessage({ question, answers: [txt, chaos, a('a.test', '10.0.0.1')] });
    const message = decodeMessage(Buffer.concat([bytes, Buffer.from('rubbish')]));
    expect(message.answers).toHaveLength(1);
  });

  it('reads a TTL with the top bit set as 0', () => {
    const answers = [a('a.test', '10.0.0.1', 0x8000_0001), a('a.test', '10.0.0.2', 0x7fff_ffff)];
    const message = decodeMessage(writeMessage({ question, answers }));
    expect(message.answers.map(({ ttlSeconds }) => ttlSeconds)).toEqual([0, 0x7fff_ffff]);
  });

  it('adds the upper bits of the response code from the OPT record', () => {
    const opt = { name: '', type: TYPE.OPT, ttl: 0x0100_0000, data: Buffer.alloc(0), class: 1232 };
    expect(decodeMessage(writeMessage({ question, additionals: [opt] })).responseCode).toBe(16);
  });

  it('does not read on in a truncated message, whose last record may be cut', () => {
    const bytes = writeMessage({ question, truncated: true, answers: [a('a.test', '10.0.0.1')] });
    expect(decodeMessage(bytes.subarray(0, -3))).toMatchObject({ truncated: true, answers: [] });
  });

  it('reads a view that begins inside a larger buffer', () => {
    const bytes = writeMessage({ question, answers: [srv('a.test', 'b.test', { port: 99 })] });
    const shifted = Buffer.concat([Buffer.from('xyz'), bytes]).subarray(3);
    expect(decodeMessage(shifted).answers[0]?.data).toMatchObject({ port: 99, target: 'b.test' });
  });

  const header = (...counts: [number, number, number, number]): Buffer => u16(1, 0x8180, ...counts);
  const cutRecord = (record: Parameters<typeof writeMessage>[0], length: number): Buffer =>
    writeMessage(record).subarray(0, -length);
  it.each([
    { what: 'nothing', bytes: Buffer.alloc(0), problem: 'shorter than a header' },
    { what: 'half a header', bytes: Buffer.alloc(11), problem: 'shorter than a header' },
    {
      what: 'a query',
      bytes: writeMessage({ question, flags: 0x0100 }),
      problem: 'not a response',
    },
    {
      what: 'another opcode',
      bytes: writeMessage({ question, flags: 0x9180 }),
      problem: 'not a response',
    },
    { what: 'two questions', bytes: header(2, 0, 0, 0), problem: 'more than one question' },
    { what: 'a count that lies', bytes: header(0, 1, 0, 0), problem: 'a name is cut off' },
    {
      what: 'counts of 65,535',
      bytes: header(0, 65_535, 65_535, 65_535),
      problem: 'more than 6000 records',
    },
    { what: 'a cut question', bytes: cutRecord({ question }, 1), problem: 'a record is cut off' },
    {
      what: 'a cut record',
      bytes: cutRecord({ question, answers: [a('a.test', '10.0.0.1')] }, 1),
      problem: 'a record is cut off',
    },
    {
      what: 'an A record of 5 bytes',
      bytes: writeMessage({ answers: [{ ...a('a', '1.1.1.1'), data: Buffer.alloc(5) }] }),
      problem: 'an A record is not 4 bytes',
    },
    {
      what: 'an AAAA record of 15 bytes',
      bytes: writeMessage({ answers: [{ ...aaaa('a', []), data: Buffer.alloc(15) }] }),
      problem: 'an AAAA record is not 16 bytes',
    },
    {
      what: 'an SRV record of 6 bytes',
      bytes: writeMessage({ answers: [{ ...srv('a', 'b'), data: Buffer.alloc(6) }] }),
      problem: 'an SRV record is cut off',
    },
    {
      what: 'a target that ends before its record',
      bytes: writeMessage({ answers: [{ ...cname('a', 'b'), data: Buffer.from([0, 0]) }] }),
      problem: 'does not fill its record',
    },
    {
      what: 'a target that runs over its record',
      bytes: Buffer.concat([
        header(0, 1, 0, 0),
        writeName('a'),
        u16(5, 1, 0, 9, 1),
        writeName('bc'),
      ]),
      problem: 'does not fill its record',
    },
    {
      what: 'an SOA record without numbers',
      bytes: writeMessage({ answers: [{ ...soa('a'), data: Buffer.from([0, 0]) }] }),
      problem: 'SOA record of wrong length',
    },
  ])('refuses $what', ({ bytes, problem }) => {
    expect(() => decodeMessage(bytes)).toThrow(problem);
    try {
      decodeMessage(bytes);
    } catch (error) {
      expect(messageOf(error)).toMatch(/^malformed answer: /);
    }
  });
});
