import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePayload } from '../../discovery/payload/decode-payload.ts';
import { PAYLOAD_FORMATS } from '../../discovery/payload/instance.ts';
import { createLocality } from '../../model/locality.ts';
import { encodePayload, type Payload } from './encode-payload.ts';

const label = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' });
/** Names that mean something of their own in the flat formats. */
const RESERVED = new Set(['weight', 'region', 'zone', 'subzone', 'instance_status', 'curator.id']);
const metadata = fc.dictionary(
  fc
    .string({ minLength: 1, maxLength: 12 })
    .filter((name) => !RESERVED.has(name) && name !== '__proto__' && !name.startsWith('tag.')),
  label,
  { maxKeys: 5 },
);

const payload: fc.Arbitrary<Payload> = fc
  .record({
    host: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('users.internal')),
    port: fc.integer({ min: 1, max: 65_535 }),
    weight: fc.integer({ min: 1, max: 65_535 }),
    degradedWeight: fc.integer({ min: 0, max: 65_535 }),
    health: fc.constantFrom('healthy' as const, 'degraded' as const, 'unhealthy' as const),
    tags: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/u), { maxLength: 3 }),
    metadata,
    zone: fc.constantFrom('', 'a', 'b'),
  })
  .map(({ host, port, weight, degradedWeight, health, tags, zone, ...rest }) => ({
    announcement: {
      ...{ id: 'users-1', service: 'users', address: host, port, weight, tags },
      ...{ metadata: rest.metadata, locality: createLocality({ zone }) },
    },
    report: { health, note: '' },
    ...{ host, degradedWeight, sinceMs: 1_700_000_000_000 },
  }));

describe('encodePayload', () => {
  it.each(PAYLOAD_FORMATS)('%s: discovery reads what was announced', (format) => {
    fc.assert(
      fc.property(payload, fc.boolean(), (given, guess) => {
        const { announcement, report, degradedWeight } = given;
        const data = encodePayload(format, given);
        const isUsable = report.health !== 'unhealthy';
        if (format === 'host-port' && !isUsable) {
          expect(data).toBeUndefined();
          return;
        }
        const instance = decodePayload('member_1', data ?? Buffer.alloc(0), {
          format: guess ? 'auto' : format,
          endpoint: undefined,
        });
        expect(instance?.usable).toBe(isUsable);
        expect(instance?.endpoint.address).toMatchObject({ port: announcement.port });
        if (format === 'host-port') return;
        expect(instance?.endpoint).toMatchObject({
          weight: report.health === 'degraded' ? degradedWeight : announcement.weight,
          locality: announcement.locality,
          metadata: {
            ...announcement.metadata,
            ...Object.fromEntries(announcement.tags.map((tag) => [`tag.${tag}`, 'true'])),
          },
        });
      }),
      { seed: 51, numRuns: 500 },
    );
  });
});
