import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEvenkeelError } from '../../../error/evenkeel-error.ts';
import {
  decodeRange,
  decodeWatchMessage,
  encodeKey,
  type Fields,
  keyOf,
  rangeEndOf,
} from './wire.ts';

const SEED = 20_262;
const bytes = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((array) => Buffer.from(array).toString('latin1'));

/** As etcd compares keys: byte by byte, and the zero byte as an end means that there is none. */
function isInRange(key: string, from: string, end: string): boolean {
  const [left, right] = [Buffer.from(key, 'latin1'), Buffer.from(from, 'latin1')];
  const isBelow = end === '\0' || Buffer.compare(left, Buffer.from(end, 'latin1')) < 0;
  return Buffer.compare(left, right) >= 0 && isBelow;
}

describe('rangeEndOf', () => {
  it('bounds exactly the keys that begin with the prefix', () => {
    fc.assert(
      fc.property(bytes(4), bytes(6), fc.boolean(), (prefix, rest, isInside) => {
        const key = isInside ? prefix + rest : rest;
        expect(isInRange(key, prefix, rangeEndOf(prefix))).toBe(key.startsWith(prefix));
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it.each([
    ['/a/', '/a0'],
    ['a\xff', 'b'],
    ['\xff\xff', '\0'],
    ['', '\0'],
  ])('%j ends at %j', (prefix, end) => {
    expect(rangeEndOf(prefix)).toBe(end);
  });
});

describe('keys', () => {
  it('come back as they were sent, whatever their bytes', () => {
    fc.assert(
      fc.property(bytes(40), bytes(40), fc.bigInt(1n, 2n ** 63n - 1n), (key, value, revision) => {
        const kv = { key: encodeKey(key), value: encodeKey(value), mod_revision: String(revision) };
        const header = { cluster_id: '7', revision: '9' };
        const { keyValues } = decodeRange({ header, kvs: [kv], count: '1' });
        expect(keyValues).toEqual([
          { key, value: Buffer.from(value, 'latin1'), modRevision: revision },
        ]);
        const message = decodeWatchMessage({
          result: { header, events: [{ type: 'DELETE', kv }] },
        });
        expect(message).toMatchObject({ kind: 'events', events: [{ kind: 'delete' }] });
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('that a person wrote are bytes of UTF-8', () => {
    expect(encodeKey(keyOf('/dienst/über/'))).toBe(Buffer.from('/dienst/über/').toString('base64'));
  });
});

describe('decoding', () => {
  const header = { cluster_id: '7', member_id: '8', revision: '9', raft_term: '2' };

  it.each<{ what: string; result: object; message: object }>([
    { what: 'a confirmation', result: { created: true }, message: { kind: 'created' } },
    { what: 'a sign of life', result: {}, message: { kind: 'progress' } },
    {
      what: 'a fragment',
      result: { events: [{ kv: { key: 'YQ==', mod_revision: '9' } }], fragment: true },
      message: { kind: 'events', isFragment: true, events: [{ kind: 'put' }] },
    },
    {
      what: 'a compaction',
      result: { canceled: true, compact_revision: '8' },
      message: { kind: 'canceled', compactRevision: 8n, reason: '' },
    },
    {
      what: 'a refusal, which is a confirmation, too',
      result: { created: true, canceled: true, cancel_reason: 'permission denied' },
      message: { kind: 'canceled', compactRevision: undefined, reason: 'permission denied' },
    },
  ])('$what', ({ result, message }) => {
    expect(decodeWatchMessage({ result: { header, ...result } })).toMatchObject(message);
  });

  it('throws the error of a line that is one', () => {
    const error = { grpc_code: 14, http_code: 503, message: 'etcdserver: no leader' };
    expect(() => decodeWatchMessage({ error })).toThrow(/^refused: etcdserver: no leader$/u);
  });

  it('throws nothing but errors of ours, whatever comes', () => {
    const kv = fc.record(
      { key: fc.jsonValue(), value: fc.jsonValue(), mod_revision: fc.jsonValue() },
      { requiredKeys: [] },
    );
    const event = fc.record({ type: fc.jsonValue(), kv }, { requiredKeys: [] });
    const result = fc.record(
      {
        header: fc.oneof(fc.constant(header), fc.jsonValue()),
        created: fc.jsonValue(),
        canceled: fc.jsonValue(),
        compact_revision: fc.jsonValue(),
        cancel_reason: fc.jsonValue(),
        fragment: fc.jsonValue(),
        events: fc.oneof(fc.array(event), fc.jsonValue()),
        kvs: fc.oneof(fc.array(kv), fc.jsonValue()),
        count: fc.jsonValue(),
        more: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const line = fc.oneof(
      fc.jsonValue(),
      fc.record({ result }),
      fc.record({ error: fc.jsonValue() }),
    );
    fc.assert(
      fc.property(line, result, (message, answer) => {
        for (const run of [
          () => decodeWatchMessage(message),
          () => decodeRange(answer as unknown as Fields),
        ]) {
          try {
            run();
          } catch (error) {
            expect(isEvenkeelError(error)).toBe(true);
          }
        }
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });
});
