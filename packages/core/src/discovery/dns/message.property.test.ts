/** Whatever comes in, only the one known error comes out, in bounded time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEvenkeelError } from '../../error/evenkeel-error.ts';
import {
  a,
  aaaa,
  cname,
  soa,
  srv,
  TYPE,
  u16,
  type WireRecord,
  writeMessage,
} from '../test-support/dns-wire.ts';
import { RECORDED_ANSWERS } from '../test-support/recorded-answers.ts';
import { createAcceptor } from './accept.ts';
import { readAnswer } from './answer.ts';
import { type DnsMessage, decodeMessage } from './message.ts';
import { encodeQuery } from './query.ts';
import { RecordType } from './record-data.ts';

const seed = 20_300_101;

/** Decodes; a known error counts as handled, anything else fails the test. */
function decodeSafely(bytes: Uint8Array): DnsMessage | undefined {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    expect(isEvenkeelError(error, 'EVENKEEL_DISCOVERY'), String(error)).toBe(true);
    return undefined;
  }
}

function assertSane(message: DnsMessage, byteLength: number): void {
  const records = [...message.answers, ...message.authorities, ...message.additionals];
  expect(records.length * 11).toBeLessThanOrEqual(byteLength);
  for (const { name, ttlSeconds } of records) {
    expect(name.length).toBeLessThanOrEqual(4 * 255);
    expect(ttlSeconds).toBeGreaterThanOrEqual(0);
    expect(ttlSeconds).toBeLessThanOrEqual(0x7fff_ffff);
  }
}

const recorded = fc.constantFrom(...RECORDED_ANSWERS).map(({ hex }) => Buffer.from(hex, 'hex'));

describe('decodeMessage under fire', () => {
  it('survives random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const message = decodeSafely(bytes);
        if (message !== undefined) assertSane(message, bytes.length);
      }),
      { seed, numRuns: 5_000 },
    );
  });

  it('survives random bytes behind a plausible header', () => {
    const counts = fc.tuple(fc.nat(1), fc.nat(40), fc.nat(4), fc.nat(40));
    fc.assert(
      fc.property(counts, fc.uint8Array({ maxLength: 600 }), (numbers, rest) => {
        const header = Buffer.alloc(12);
        header.writeUInt16BE(0x8180, 2);
        numbers.forEach((count, index) => header.writeUInt16BE(count, 4 + 2 * index));
        const bytes = Buffer.concat([header, rest]);
        const message = decodeSafely(bytes);
        if (message !== undefined) assertSane(message, bytes.length);
      }),
      { seed, numRuns: 5_000 },
    );
  });

  it('survives real answers with bytes changed, removed and added', () => {
    const edits = fc.array(
      fc.record({ at: fc.nat(250), remove: fc.nat(4), insert: fc.uint8Array({ maxLength: 4 }) }),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(recorded, edits, (original, changes) => {
        let bytes = original;
        for (const { at, remove, insert } of changes) {
          bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
        }
        const message = decodeSafely(bytes);
        if (message !== undefined) assertSane(message, bytes.length);
      }),
      { seed, numRuns: 10_000 },
    );
  });

  it('survives every single-byte change of a recorded SRV answer', () => {
    const original = Buffer.from(
      RECORDED_ANSWERS.find(({ type }) => type === 33)?.hex ?? '',
      'hex',
    );
    for (let at = 0; at < original.length; at += 1) {
      for (const value of [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff]) {
        const bytes = Buffer.from(original);
        bytes[at] = value;
        decodeSafely(bytes);
      }
    }
  });

  it('survives 64 KiB made to cost as much as possible', () => {
    // Thousands of records whose names all lead through the longest chain of pointers that is allowed.
    const chain = Buffer.alloc(2 * 127);
    const chainStart = 12 + 11;
    for (let i = 1; i < 127; i += 1) {
      chain.writeUInt16BE(0xc000 | (chainStart + 2 * (i - 1)), 2 * i);
    }
    const first = Buffer.concat([Buffer.alloc(9), u16(chain.length), chain]);
    const record = Buffer.concat([u16(0xc000 | (chainStart + 2 * 126)), Buffer.alloc(10)]);
    const count = Math.floor((65_535 - chainStart - chain.length) / record.length);
    const records = Array.from({ length: count }, () => record);
    const bytes = Buffer.concat([u16(0, 0x8180, 0, count + 1, 0, 0), first, ...records]);
    expect(bytes.length).toBeGreaterThan(65_500);
    expect(decodeSafely(bytes)).toBeDefined();
  });

  it('reads back what it is given', () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,10}(\.[a-z0-9]{1,10}){0,4}$/);
    const ttl = fc.nat(100_000);
    const record: fc.Arbitrary<WireRecord> = fc.oneof(
      fc.tuple(name, fc.ipV4(), ttl).map(([owner, address, time]) => a(owner, address, time)),
      fc
        .tuple(name, fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }), ttl)
        .map(([owner, groups, time]) => aaaa(owner, groups, time)),
      fc.tuple(name, name, ttl).map(([owner, target, time]) => cname(owner, target, time)),
      fc
        .tuple(name, name, fc.nat(0xffff), fc.nat(0xffff))
        .map(([owner, target, weight, port]) => srv(owner, target, { weight, port })),
      fc.tuple(name, ttl).map(([zone, minimum]) => soa(zone, { minimum })),
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), (answers) => {
        const message = decodeMessage(writeMessage({ answers }));
        expect(message.answers.map(({ name: owner, ttlSeconds }) => [owner, ttlSeconds])).toEqual(
          answers.map((answer) => [answer.name, answer.ttl]),
        );
      }),
      { seed },
    );
  });
});

describe('readAnswer under fire', () => {
  it('ends in an answer or the known error for any mixture of aliases and addresses', () => {
    const name = fc.constantFrom('a.t', 'b.t', 'c.t', 'd.t');
    const record = fc.oneof(
      fc.tuple(name, name).map(([owner, target]) => cname(owner, target)),
      name.map((owner) => a(owner, '10.0.0.1')),
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), (answers) => {
        const message = decodeMessage(writeMessage({ answers }));
        try {
          const answer = readAnswer(message, { name: 'a.t', type: RecordType.a });
          expect(['records', 'alias', 'empty']).toContain(answer.kind);
        } catch (error) {
          expect(isEvenkeelError(error, 'EVENKEEL_DISCOVERY')).toBe(true);
        }
      }),
      { seed, numRuns: 2_000 },
    );
  });
});

describe('createAcceptor', () => {
  const question = { name: 'a.svc.test', type: RecordType.a };
  const accept = createAcceptor(0x1234, question);

  it.each([
    { what: 'the answer', message: { id: 0x1234, question }, accepted: true },
    { what: 'another id', message: { id: 0x1235, question }, accepted: false },
    {
      what: 'another name',
      message: { id: 0x1234, question: { ...question, name: 'b.svc.test' } },
      accepted: false,
    },
    {
      what: 'another type',
      message: { id: 0x1234, question: { ...question, type: TYPE.AAAA } },
      accepted: false,
    },
    { what: 'no question', message: { id: 0x1234 }, accepted: false },
    { what: 'no question with SERVFAIL', message: { id: 0x1234, responseCode: 2 }, accepted: true },
    {
      what: 'no question with NXDOMAIN',
      message: { id: 0x1234, responseCode: 3 },
      accepted: false,
    },
    {
      what: 'the name in capitals',
      message: { id: 0x1234, question: { ...question, name: 'A.SVC.TEST' } },
      accepted: true,
    },
  ])('judges $what', ({ message, accepted }) => {
    expect(accept(writeMessage(message)) !== undefined).toBe(accepted);
  });

  it('passes over what is too short for an id, and throws for garbage under the right id', () => {
    expect(accept(Buffer.alloc(0))).toBeUndefined();
    expect(accept(Buffer.from([0x12]))).toBeUndefined();
    expect(() => accept(Buffer.from([0x12, 0x34, 1, 2, 3]))).toThrow('malformed answer');
  });

  it('accepts the answer to a query it belongs to, for any name', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z0-9]{1,10}(\.[a-z0-9]{1,10}){0,4}$/),
        fc.nat(0xffff),
        (name, id) => {
          const query = encodeQuery({ id, name, type: RecordType.srv, edns: true });
          const answer = Buffer.from(query);
          answer.writeUInt16BE(0x8180, 2); // the query itself, turned into an empty answer
          const accepted = createAcceptor(id, { name, type: RecordType.srv })(answer);
          expect(accepted).toMatchObject({ id, answers: [], responseCode: 0 });
        },
      ),
      { seed },
    );
  });
});
