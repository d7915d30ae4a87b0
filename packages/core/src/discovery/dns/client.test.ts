import { describe, expect, it } from 'vitest';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { a } from '../test-support/dns-wire.ts';
import { FakeExchange, type FakeHandler } from '../test-support/fake-exchange.ts';
import { DnsClient } from './client.ts';
import { RecordType } from './record-data.ts';
import { type DnsServer, formatServer, parseServer } from './server.ts';

const question = { name: 'a.test', type: RecordType.a };
const records = { answers: [a('a.test', '10.0.0.1')] };
const [one, two, three] = ['10.1.1.1:53', '10.1.1.2:53', '[::3]:53'] as const;

function setup(handler: FakeHandler, servers: readonly string[] = [one, two]) {
  const runtime = createManualRuntime();
  const fake = new FakeExchange(handler);
  const client = new DnsClient({
    servers: () => servers.map((text) => parseServer(text) as DnsServer),
    exchange: fake.exchange,
    clock: runtime.clock,
    tryTimeoutMs: 1_000,
  });
  const abort = new AbortController();
  const ask = () => client.query(question, { deadlineMs: 5_000, signal: abort.signal });
  return { fake, runtime, abort, ask };
}

describe('DnsClient', () => {
  it('asks the first server and takes its answer', async () => {
    const { fake, ask } = setup(() => records);
    expect((await ask()).answers).toHaveLength(1);
    expect(fake.asked).toEqual([
      { server: one, protocol: 'udp', name: 'a.test', type: 1, hasOpt: true, timeoutMs: 1_000 },
    ]);
  });

  it.each([
    { what: 'SERVFAIL', answer: { responseCode: 2 } },
    { what: 'REFUSED', answer: { responseCode: 5 } },
    { what: 'no answer', answer: 'no answer within 1000 ms' },
  ])(
    'goes on to the next server after $what, and begins there the next time',
    async ({ answer }) => {
      const { fake, ask } = setup(({ server }) => (server === one ? answer : records));
      await ask();
      await ask();
      expect(fake.asked.map(({ server }) => server)).toEqual([one, two, two]);
    },
  );

  it('takes NXDOMAIN for an answer and asks nobody else', async () => {
    const { fake, ask } = setup(() => ({ responseCode: 3 }));
    expect((await ask()).responseCode).toBe(3);
    expect(fake.asked).toHaveLength(1);
  });

  it('goes twice round and then says what each server did', async () => {
    const { fake, ask } = setup(
      ({ server }) => (server === one ? { responseCode: 2 } : 'connect ECONNREFUSED'),
      [one, two, three],
    );
    await expect(ask()).rejects.toThrow(
      `A a.test: ${one} answers SERVFAIL; ${two} connect ECONNREFUSED; ${three} connect ECONNREFUSED`,
    );
    expect(fake.asked.map(({ server }) => server)).toEqual([one, two, three, one, two, three]);
  });

  it('stops at the deadline and gives the last try only what is left', async () => {
    const { fake, runtime, ask } = setup(() => {
      runtime.clock.set(runtime.clock.nowMs() + 1_900);
      return 'no answer';
    });
    await expect(ask()).rejects.toThrow('no answer');
    expect(fake.asked.map(({ timeoutMs }) => timeoutMs)).toEqual([1_000, 1_000, 1_000]);
    await expect(ask()).rejects.toThrow('no time left to ask');
  });

  it('asks the same server over TCP when the answer was truncated', async () => {
    const { fake, ask } = setup(({ protocol }) =>
      protocol === 'udp' ? { truncated: true } : records,
    );
    expect((await ask()).answers).toHaveLength(1);
    expect(fake.asked.map(({ server, protocol }) => [server, protocol])).toEqual([
      [one, 'udp'],
      [one, 'tcp'],
    ]);
  });

  it('does not take an answer that is truncated over TCP for an empty one', async () => {
    const { ask } = setup(() => ({ truncated: true }), [one]);
    await expect(ask()).rejects.toThrow('answers truncated even over TCP');
  });

  it('goes on to the next server when TCP fails', async () => {
    const { fake, ask } = setup(({ server, protocol }) => {
      if (server === two) return records;
      return protocol === 'udp' ? { truncated: true } : 'over TCP: refused';
    });
    await ask();
    expect(fake.asked.at(-1)?.server).toBe(two);
  });

  it.each([1, 4, 16])('asks without EDNS(0) after response code %i', async (code) => {
    const opt = { name: '', type: 41, ttl: (code >> 4) << 24, data: Buffer.alloc(0) };
    const { fake, ask } = setup(({ hasOpt }) =>
      hasOpt ? { responseCode: code & 15, additionals: code > 15 ? [opt] : [] } : records,
    );
    expect((await ask()).answers).toHaveLength(1);
    expect(fake.asked.map(({ hasOpt, server }) => [hasOpt, server])).toEqual([
      [true, one],
      [false, one],
    ]);
  });

  it('passes over an answer to another question', async () => {
    const { ask } = setup(() => ({ ...records, question: { name: 'b.test', type: 1 } }));
    await expect(ask()).rejects.toThrow('passed over');
  });

  it('says so when no server is configured', async () => {
    const { ask } = setup(() => records, []);
    await expect(ask()).rejects.toThrow('no name server is configured');
  });

  it('ends when it is aborted', async () => {
    const { fake, abort, ask } = setup(() => 'silence');
    const asked = ask();
    expect(fake.openCount).toBe(1);
    abort.abort();
    await expect(asked).rejects.toThrow('closed');
    expect(fake.asked).toHaveLength(1);
  });
});

describe('parseServer', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1:53'],
    ['10.0.0.1:5353', '10.0.0.1:5353'],
    ['::1', '[::1]:53'],
    ['[::1]', '[::1]:53'],
    ['[::1]:5353', '[::1]:5353'],
    ['fe80::1%eth0', '[fe80::1%eth0]:53'],
  ])('reads %s', (text, formatted) => {
    expect(formatServer(parseServer(text) as DnsServer)).toBe(formatted);
  });

  it.each([
    '',
    'dns.internal',
    '10.0.0.1:0',
    '10.0.0.1:65536',
    '10.0.0',
    '[10.0.0.1]:53',
    '[::1',
    ':53',
  ])('refuses %j', (text) => {
    expect(parseServer(text)).toBeUndefined();
  });
});
