import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEvenkeelError } from '../../error/evenkeel-error.ts';
import { decodeMember, joinMembers } from './decode-members.ts';
import { decodePayload, type PayloadRules } from './decode-payload.ts';
import { PAYLOAD_FORMATS } from './instance.ts';

const KEYS = [
  ...['host', 'port', 'address', 'weight', 'metadata', 'locality', 'tags', 'health', 'enabled'],
  ...['serviceEndpoint', 'additionalEndpoints', 'admin', 'status', 'shard', 'vector', 'zone'],
  ...['serviceType', 'sslPort', 'payload', 'id', 'instance_status', '__proto__'],
];

/** JSON that looks like the payloads as much as chance makes it. */
const { value } = fc.letrec<{ value: unknown; object: object }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<unknown>(null, true, 'ALIVE', '10.0.0.1', 'UP', '', 80, 0, -1, 1.5, 1e300),
    fc.string({ maxLength: 8 }),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 8 }),
}));

const data = fc.oneof(
  value.map((raw) => Buffer.from(JSON.stringify(raw))),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  value.chain((raw) => {
    const text = JSON.stringify(raw);
    return fc.nat(text.length).map((end) => Buffer.from(text.slice(0, end)));
  }),
);
const name = fc.oneof(fc.constantFrom('member_1', 'vector_1', '10.0.0.1:80'), fc.string());
const rules: fc.Arbitrary<PayloadRules> = fc.record({
  format: fc.constantFrom('auto', ...PAYLOAD_FORMATS),
  endpoint: fc.constantFrom(undefined, 'admin', 'ssl'),
});

describe('decodePayload', () => {
  it('makes an instance of anything, or refuses it with an error of ours', () => {
    fc.assert(
      fc.property(name, data, rules, (nodeName, bytes, given) => {
        try {
          const instance = decodePayload(nodeName, bytes, given);
          if (instance !== undefined) expect(instance.endpoint.id).not.toBe('');
        } catch (error) {
          expect(isEvenkeelError(error)).toBe(true);
        }
      }),
      { seed: 41, numRuns: 5_000 },
    );
  });
});

describe('joinMembers', () => {
  it('loses nothing that makes sense to what does not, and lists no address twice', () => {
    const good = fc.integer({ min: 1, max: 9 }).map((last) => Buffer.from(`10.0.0.${last}:80`));
    fc.assert(
      fc.property(fc.array(fc.oneof(good, data), { maxLength: 12 }), (nodes) => {
        const members = new Map(
          nodes.map((bytes, index) => [
            `n${index}`,
            decodeMember(
              `n${index}`,
              { data: bytes, createdAt: BigInt(index) },
              { format: 'auto', endpoint: undefined },
            ),
          ]),
        );
        const wrong = [...members.values()].filter(({ kind }) => kind === 'wrong');
        try {
          const { endpoints, complaint } = joinMembers(members);
          const ids = endpoints.map(({ id }) => id);
          expect(new Set(ids).size).toBe(ids.length);
          expect(complaint === undefined).toBe(wrong.length === 0);
          for (const bytes of nodes) {
            const text = String(bytes);
            if (/^10\.0\.0\.\d:80$/u.test(text)) expect(ids).toContain(text);
          }
        } catch (error) {
          expect(isEvenkeelError(error)).toBe(true);
          expect(wrong).toHaveLength(members.size);
        }
      }),
      { seed: 42, numRuns: 1_000 },
    );
  });
});
