import { describe, expect, it } from 'vitest';
import { a, cname, soa, srv, type WireMessage, writeMessage } from '../test-support/dns-wire.ts';
import { recordedAnswer } from '../test-support/recorded-answers.ts';
import { type Answer, MAX_ALIASES, readAnswer } from './answer.ts';
import { decodeMessage } from './message.ts';
import { RecordType } from './record-data.ts';

const question = { name: 'www.test', type: RecordType.a };

function read(message: WireMessage): Answer {
  return readAnswer(decodeMessage(writeMessage(message)), question);
}

function addressesOf(answer: Answer): unknown[] {
  if (answer.kind !== 'records') throw new Error(`expected records, got ${answer.kind}`);
  return answer.records.map(({ data }) => data.type === 'address' && data.address);
}

describe('readAnswer', () => {
  it('takes the records of the name, with the least TTL', () => {
    const answers = [a('www.test', '10.0.0.1', 30), a('WWW.TEST', '10.0.0.2', 20)];
    const answer = read({ answers });
    expect(addressesOf(answer)).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(answer).toMatchObject({ ttlSeconds: 20 });
  });

  it('passes over records of names nobody asked for', () => {
    const answers = [
      a('evil.test', '6.6.6.6'),
      a('www.test', '10.0.0.1'),
      srv('www.test', 'evil.test'),
    ];
    expect(addressesOf(read({ answers }))).toEqual(['10.0.0.1']);
  });

  it('follows aliases in any order; their TTLs count, too', () => {
    const answers = [
      a('c.test', '10.0.0.1', 90),
      cname('b.test', 'c.test', 5),
      cname('www.test', 'b.test', 60),
    ];
    const answer = read({ answers });
    expect(addressesOf(answer)).toEqual(['10.0.0.1']);
    expect(answer).toMatchObject({ ttlSeconds: 5 });
  });

  it('says where to go on when the chain leaves the message', () => {
    const answers = [cname('www.test', 'b.test', 60), cname('b.test', 'c.elsewhere', 9)];
    expect(read({ answers })).toEqual({ kind: 'alias', target: 'c.elsewhere', ttlSeconds: 9 });
    const unbound = decodeMessage(recordedAnswer('unbound', 'www.svc.test', 1));
    expect(readAnswer(unbound, { name: 'www.svc.test', type: RecordType.a })).toEqual({
      kind: 'alias',
      target: 'a.svc.test',
      ttlSeconds: 20,
    });
  });

  it('knows that a chain with an SOA record behind it has ended', () => {
    const answers = [cname('www.test', 'b.test')];
    const answer = read({ answers, authorities: [soa('test', { ttl: 40, minimum: 30 })] });
    expect(answer).toEqual({ kind: 'empty', reason: 'NODATA', ttlSeconds: 30 });
  });

  it.each([
    { what: 'SOA TTL below the minimum', soaFields: { ttl: 7, minimum: 300 }, ttlSeconds: 7 },
    { what: 'SOA minimum below the TTL', soaFields: { ttl: 300, minimum: 8 }, ttlSeconds: 8 },
    {
      what: 'an SOA minimum with the top bit set',
      soaFields: { minimum: 0xffff_ffff },
      ttlSeconds: 0,
    },
  ])('takes the lesser as the negative TTL: $what', ({ soaFields, ttlSeconds }) => {
    const authorities = [soa('test', soaFields)];
    expect(read({ responseCode: 3, authorities })).toEqual({
      kind: 'empty',
      reason: 'NXDOMAIN',
      ttlSeconds,
    });
    expect(read({ authorities })).toEqual({ kind: 'empty', reason: 'NODATA', ttlSeconds });
  });

  it('knows no negative TTL without an SOA record', () => {
    expect(read({ responseCode: 3 })).toMatchObject({ reason: 'NXDOMAIN', ttlSeconds: undefined });
  });

  it('refuses a circle of aliases and a long chain', () => {
    expect(() =>
      read({ answers: [cname('www.test', 'b.test'), cname('b.test', 'www.test')] }),
    ).toThrow(`more than ${MAX_ALIASES} aliases`);
    const chain = (length: number): WireMessage => ({
      answers: [
        cname('www.test', 'n1.test'),
        ...Array.from({ length }, (_, i) => cname(`n${i + 1}.test`, `n${i + 2}.test`)),
        a(`n${length + 1}.test`, '10.0.0.1'),
      ],
    });
    expect(addressesOf(read(chain(MAX_ALIASES - 1)))).toEqual(['10.0.0.1']);
    expect(() => read(chain(MAX_ALIASES))).toThrow('aliases');
  });
});
