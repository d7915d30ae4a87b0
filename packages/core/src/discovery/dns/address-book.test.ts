import { beforeEach, describe, expect, it } from 'vitest';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { a, aaaa, cname, soa, TYPE, type WireMessage } from '../test-support/dns-wire.ts';
import { type FakeAnswer, FakeExchange } from '../test-support/fake-exchange.ts';
import { AddressBook } from './address-book.ts';
import { DnsClient } from './client.ts';
import { decodeMessage } from './message.ts';
import { writeMessage } from '../test-support/dns-wire.ts';
import { RecordType } from './record-data.ts';

const V6 = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1];
const V6_TEXT = '2001:db8:0:0:0:0:0:1';
const found4: WireMessage = { answers: [a('h.test', '10.0.0.1', 30)] };
const found6: WireMessage = { answers: [aaaa('h.test', V6, 20)] };
const nothing: WireMessage = { authorities: [soa('test', { minimum: 9 })] };
const missing: WireMessage = { responseCode: 3, authorities: [soa('test', { minimum: 8 })] };

let answers: Record<'v4' | 'v6', FakeAnswer>;
let fake: FakeExchange;
let client: DnsClient;
const limits = { deadlineMs: 5_000, signal: new AbortController().signal };

beforeEach(() => {
  fake = new FakeExchange(({ type }) => (type === TYPE.A ? answers.v4 : answers.v6));
  client = new DnsClient({
    servers: () => [{ host: '10.1.1.1', family: 4, port: 53 }],
    exchange: fake.exchange,
    clock: createManualRuntime().clock,
    tryTimeoutMs: 1_000,
  });
});

describe('AddressBook', () => {
  it('takes both families, with the lesser TTL', async () => {
    answers = { v4: found4, v6: found6 };
    expect(await new AddressBook(client, [4, 6]).find('h.test', limits)).toEqual({
      addresses: ['10.0.0.1', V6_TEXT],
      ttlSeconds: 20,
      emptyReason: undefined,
      complaint: undefined,
      isStale: false,
    });
  });

  it('asks for one family only when told so', async () => {
    answers = { v4: found4, v6: found6 };
    const { addresses } = await new AddressBook(client, [6]).find('h.test', limits);
    expect(addresses).toEqual([V6_TEXT]);
    expect(fake.asked.map(({ type }) => type)).toEqual([TYPE.AAAA]);
  });

  it('goes by the positive TTL when the other family has no addresses', async () => {
    answers = { v4: found4, v6: nothing };
    const host = await new AddressBook(client, [4, 6]).find('h.test', limits);
    expect(host).toMatchObject({ addresses: ['10.0.0.1'], ttlSeconds: 30, complaint: undefined });
  });

  it.each([
    { what: 'neither exists', v4: missing, v6: missing, reason: 'NXDOMAIN', ttlSeconds: 8 },
    { what: 'neither has data', v4: nothing, v6: nothing, reason: 'NODATA', ttlSeconds: 9 },
    { what: 'the servers disagree', v4: missing, v6: nothing, reason: 'NODATA', ttlSeconds: 8 },
  ])('says why there is nothing: $what', async ({ v4, v6, reason, ttlSeconds }) => {
    answers = { v4, v6 };
    const host = await new AddressBook(client, [4, 6]).find('h.test', limits);
    expect(host).toMatchObject({ addresses: [], emptyReason: reason, ttlSeconds });
  });

  it('uses the family that works, and complains about the other', async () => {
    answers = { v4: found4, v6: 'no answer' };
    const host = await new AddressBook(client, [4, 6]).find('h.test', limits);
    expect(host.addresses).toEqual(['10.0.0.1']);
    expect(host.complaint).toBe('AAAA h.test: 10.1.1.1:53 no answer');
  });

  it('keeps what a failing family had before', async () => {
    const book = new AddressBook(client, [4, 6]);
    answers = { v4: found4, v6: found6 };
    await book.find('h.test', limits);
    answers = { v4: { answers: [a('h.test', '10.0.0.2')] }, v6: 'no answer' };
    expect((await book.find('h.test', limits)).addresses).toEqual(['10.0.0.2', V6_TEXT]);
    answers = { v4: 'no answer', v6: 'no answer' };
    const host = await book.find('h.test', limits);
    expect(host.addresses).toEqual(['10.0.0.2', V6_TEXT]);
    expect(host.isStale).toBe(true);
    expect(host.complaint).toMatch(/no answer.*; .*no answer/);
  });

  it('forgets a family that has no addresses any more, and hosts that are not retained', async () => {
    const book = new AddressBook(client, [4, 6]);
    answers = { v4: found4, v6: found6 };
    await book.find('h.test', limits);
    answers = { v4: found4, v6: nothing };
    await book.find('h.test', limits);
    answers = { v4: found4, v6: 'no answer' };
    expect((await book.find('h.test', limits)).addresses).toEqual(['10.0.0.1']);
    book.retain(new Set(['other.test']));
    answers = { v4: 'no answer', v6: 'no answer' };
    await expect(book.find('h.test', limits)).rejects.toThrow('no answer');
  });

  it.each([
    { what: 'both fail', v4: 'no answer', v6: 'no answer' },
    { what: 'one fails and the other is empty', v4: 'no answer', v6: nothing },
  ])('fails when nothing is known: $what', async ({ v4, v6 }) => {
    answers = { v4, v6 };
    await expect(new AddressBook(client, [4, 6]).find('h.test', limits)).rejects.toThrow(
      'no answer',
    );
  });

  it('drops doubles and the unspecified address', async () => {
    const four = ['10.0.0.1', '0.0.0.0', '10.0.0.1'].map((address) => a('h.test', address));
    answers = {
      v4: { answers: four },
      v6: { answers: [aaaa('h.test', [0, 0, 0, 0, 0, 0, 0, 0])] },
    };
    const host = await new AddressBook(client, [4, 6]).find('h.test', limits);
    expect(host.addresses).toEqual(['10.0.0.1']);
  });

  it('takes known addresses and asks only for the other family', async () => {
    answers = { v4: 'must not be asked', v6: found6 };
    const known = decodeMessage(writeMessage({ answers: [a('h.test', '10.0.0.7', 3)] })).answers;
    const host = await new AddressBook(client, [4, 6]).find(
      'h.test',
      limits,
      new Map([[4, known]]),
    );
    expect(host).toMatchObject({ addresses: ['10.0.0.7', V6_TEXT], ttlSeconds: 3 });
    expect(fake.asked.map(({ type }) => type)).toEqual([RecordType.aaaa]);
  });

  it('follows an alias with further queries, but not for ever', async () => {
    fake.handler = ({ name }) =>
      name === 'h.test'
        ? { answers: [cname(name, 'b.test', 4)] }
        : { answers: [a(name, '10.0.0.1', 50)] };
    const book = new AddressBook(client, [4]);
    expect(await book.find('h.test', limits)).toMatchObject({
      addresses: ['10.0.0.1'],
      ttlSeconds: 4,
    });

    let hop = 0;
    fake.handler = ({ name }) => ({ answers: [cname(name, `n${(hop += 1)}.test`)] });
    fake.asked.length = 0;
    await expect(book.find('other.test', limits)).rejects.toThrow('aliases lead nowhere');
    expect(fake.asked).toHaveLength(9);
  });
});
