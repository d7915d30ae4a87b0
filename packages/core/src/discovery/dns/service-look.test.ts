import { beforeEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../model/endpoint.ts';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { a, aaaa, cname, srv, TYPE, type WireRecord } from '../test-support/dns-wire.ts';
import { FakeExchange, zone } from '../test-support/fake-exchange.ts';
import { AddressBook } from './address-book.ts';
import { DnsClient } from './client.ts';
import type { LookOutcome } from './outcome.ts';
import { lookForService } from './service-look.ts';

const SERVICE = '_http._tcp.web.test';

let fake: FakeExchange;
let look: () => Promise<LookOutcome>;

beforeEach(() => {
  fake = new FakeExchange(zone([]));
  const client = new DnsClient({
    servers: () => [{ host: '10.1.1.1', family: 4, port: 53 }],
    exchange: fake.exchange,
    clock: createManualRuntime().clock,
    tryTimeoutMs: 1_000,
  });
  const book = new AddressBook(client, [4]);
  const limits = { deadlineMs: 5_000, signal: new AbortController().signal };
  look = () => lookForService(SERVICE, { client, book, limits });
});

function endpointsOf(outcome: LookOutcome): readonly Endpoint[] {
  if (outcome.kind !== 'endpoints') throw new Error(`expected endpoints, got ${outcome.reason}`);
  return outcome.endpoints;
}

const brief = (outcome: LookOutcome): string[] =>
  endpointsOf(outcome).map(({ id, priority, weight }) => `${id} ${priority} ${weight}`);

const web = (targetName: string, priority: number, weight: number): WireRecord =>
  srv(SERVICE, targetName, { priority, weight, port: 8080 });

describe('lookForService', () => {
  it('maps priorities in their order and weights as they are', async () => {
    fake.handler = zone([
      web('c.test', 65_535, 5),
      web('b.test', 20, 30),
      web('a.test', 20, 10),
      a('a.test', '10.0.0.1'),
      a('b.test', '10.0.0.2'),
      a('c.test', '10.0.0.3'),
    ]);
    expect(brief(await look())).toEqual([
      '10.0.0.1:8080 0 10',
      '10.0.0.2:8080 0 30',
      '10.0.0.3:8080 1 5',
    ]);
  });

  it('names the target for TLS', async () => {
    fake.handler = zone([web('a.test', 1, 1), a('a.test', '10.0.0.1')]);
    expect(endpointsOf(await look())[0]?.hostname).toBe('a.test');
  });

  it('divides the weight of a target among its addresses', async () => {
    fake.handler = zone([
      web('a.test', 1, 10),
      web('b.test', 1, 10),
      a('a.test', '10.0.0.1'),
      a('a.test', '10.0.0.2'),
      a('b.test', '10.0.0.3'),
    ]);
    expect(brief(await look())).toEqual([
      '10.0.0.1:8080 0 10',
      '10.0.0.2:8080 0 10',
      '10.0.0.3:8080 0 20',
    ]);
  });

  it('takes addresses from the additional section instead of asking, but not of other names', async () => {
    const records = [web('a.test', 1, 1), web('b.test', 1, 1), a('b.test', '10.0.0.2')];
    fake.handler = zone(records, [
      a('a.test', '10.0.0.1', 7),
      a('evil.test', '6.6.6.6'),
      cname('b.test', 'evil.test'),
    ]);
    const outcome = await look();
    expect(brief(outcome)).toEqual(['10.0.0.1:8080 0 1', '10.0.0.2:8080 0 1']);
    expect(outcome.ttlSeconds).toBe(7);
    expect(fake.asked.filter(({ type }) => type === TYPE.A).map(({ name }) => name)).toEqual([
      'b.test',
    ]);
  });

  it('keeps the earliest priority for an address that two records lead to', async () => {
    fake.handler = zone([
      web('b.test', 2, 9),
      web('a.test', 1, 3),
      a('a.test', '10.0.0.1'),
      a('b.test', '10.0.0.1'),
    ]);
    expect(brief(await look())[0]).toBe('10.0.0.1:8080 0 3');
  });

  it('goes on without a target that has no address, and complains', async () => {
    fake.handler = zone([web('a.test', 1, 1), web('gone.test', 1, 1), a('a.test', '10.0.0.1')]);
    const outcome = await look();
    expect(brief(outcome)).toEqual(['10.0.0.1:8080 0 1']);
    expect(outcome).toMatchObject({ complaint: 'SRV target gone.test: NXDOMAIN' });
  });

  it('goes on with what a target had before when its lookup fails', async () => {
    const records = [
      web('a.test', 1, 1),
      web('b.test', 1, 1),
      a('a.test', '10.0.0.1'),
      a('b.test', '10.0.0.2'),
    ];
    fake.handler = zone(records);
    await look();
    fake.handler = (query) => (query.name === 'b.test' ? 'no answer' : zone(records)(query));
    const outcome = await look();
    expect(brief(outcome)).toEqual(['10.0.0.1:8080 0 1', '10.0.0.2:8080 0 1']);
    expect(outcome).toMatchObject({ complaint: expect.stringContaining('no answer') as string });
  });

  it.each([
    {
      what: 'port 0',
      bad: srv(SERVICE, 'b.test', { port: 0 }),
      problem: 'SRV target b.test has port 0',
    },
    { what: 'a name that is no host name', bad: web('b c.test', 1, 1), problem: 'is no host name' },
  ])('passes over a record with $what', async ({ bad, problem }) => {
    fake.handler = zone([web('a.test', 1, 1), bad, a('a.test', '10.0.0.1')]);
    const outcome = await look();
    expect(brief(outcome)).toEqual(['10.0.0.1:8080 0 1']);
    expect(outcome).toMatchObject({ complaint: expect.stringContaining(problem) as string });
    fake.handler = zone([bad]);
    await expect(look()).rejects.toThrow(problem);
  });

  it('reads a target of "." as: decidedly not available', async () => {
    fake.handler = zone([web('.', 0, 0)]);
    expect(await look()).toEqual({
      kind: 'empty',
      reason: 'the service is declared as not available',
      ttlSeconds: 60,
    });
  });

  it('is empty for NXDOMAIN, and when no target has an address', async () => {
    fake.handler = zone([]);
    expect(await look()).toMatchObject({ kind: 'empty', reason: 'NXDOMAIN' });
    fake.handler = zone([web('gone.test', 1, 1)]);
    expect(await look()).toMatchObject({ kind: 'empty', reason: 'SRV target gone.test: NXDOMAIN' });
  });

  it('fails when targets cannot be looked up and nothing is known of them', async () => {
    fake.handler = ({ type }) =>
      type === TYPE.SRV ? { answers: [web('a.test', 1, 1)] } : 'no answer';
    await expect(look()).rejects.toThrow('no answer');
  });

  it('refuses more than 1,024 targets, and more endpoints than a set may hold', async () => {
    const many = Array.from({ length: 1_025 }, (_, i) => web(`t${i}.test`, 1, 1));
    fake.handler = zone(many);
    await expect(look()).rejects.toThrow('1025 SRV targets');
    expect(fake.asked).toHaveLength(1);

    const ports = Array.from({ length: 400 }, (_, i) => srv(SERVICE, 'a.test', { port: i + 1 }));
    const addresses = Array.from({ length: 200 }, (_, i) => a('a.test', `10.0.0.${i}`));
    fake.handler = zone([...ports, ...addresses]);
    await expect(look()).rejects.toThrow('80000 endpoints');
  });

  it('orders endpoints the same way whatever the order of the answer', async () => {
    const records = [web('b.test', 1, 1), web('a.test', 1, 1), web('c.test', 0, 1)];
    const addresses = ['a', 'b', 'c'].map((name, i) => a(`${name}.test`, `10.0.0.${i}`));
    fake.handler = zone([...records, ...addresses]);
    const first = brief(await look());
    fake.handler = zone([...records.reverse(), ...addresses]);
    expect(brief(await look())).toEqual(first);
  });

  it('follows an alias of the service name', async () => {
    fake.handler = zone([
      cname(SERVICE, '_http._tcp.real.test'),
      srv('_http._tcp.real.test', 'a.test', { weight: 1 }),
      a('a.test', '10.0.0.1'),
    ]);
    const plain = fake.handler;
    fake.handler = (query) =>
      query.name === SERVICE ? { answers: [cname(SERVICE, '_http._tcp.real.test')] } : plain(query);
    expect(brief(await look())).toEqual(['10.0.0.1:80 0 1']);
  });

  it('asks for AAAA records that the additional section does not have', async () => {
    const client = new DnsClient({
      servers: () => [{ host: '10.1.1.1', family: 4, port: 53 }],
      exchange: fake.exchange,
      clock: createManualRuntime().clock,
      tryTimeoutMs: 1_000,
    });
    const limits = { deadlineMs: 5_000, signal: new AbortController().signal };
    fake.handler = zone(
      [web('a.test', 1, 2), aaaa('a.test', [1, 0, 0, 0, 0, 0, 0, 1])],
      [a('a.test', '10.0.0.1')],
    );
    const book = new AddressBook(client, [4, 6]);
    const outcome = await lookForService(SERVICE, { client, book, limits });
    expect(brief(outcome)).toEqual(['10.0.0.1:8080 0 2', '[1::1]:8080 0 2']);
  });
});
