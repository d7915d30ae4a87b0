import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isIP } from 'node:net';
import { readProxyHeader } from './proxy-header.ts';
import { version2Header } from './test-support/version2-header.ts';

const SETTINGS = { seed: 20_261_121, numRuns: 2_000 };

const port = fc.integer({ min: 0, max: 65_535 });
const octets = (length: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 0, max: 255 }), { minLength: length, maxLength: length });
const values = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 40 })), {
    maxLength: 5,
  })
  .map((list) =>
    list.flatMap(([type, value]) => [type, value.length >> 8, value.length & 255, ...value]),
  );

interface Known {
  readonly bytes: Buffer;
  readonly address: string;
  readonly port: number;
}

const known: fc.Arbitrary<Known> = fc.oneof(
  fc.tuple(fc.ipV4(), fc.ipV4(), port, port).map(([from, to, fromPort, toPort]) => ({
    bytes: Buffer.from(`PROXY TCP4 ${from} ${to} ${fromPort} ${toPort}\r\n`),
    address: from,
    port: fromPort,
  })),
  fc.tuple(octets(4), octets(4), port, port, values).map(([from, to, fromPort, toPort, rest]) => ({
    bytes: version2Header({
      following: [
        ...[...from, ...to, fromPort >> 8, fromPort & 255, toPort >> 8, toPort & 255],
        ...rest,
      ],
    }),
    address: from.join('.'),
    port: fromPort,
  })),
);

describe('a header of the PROXY protocol', () => {
  it('is read whole, whatever follows, and is incomplete before its end', () => {
    fc.assert(
      fc.property(known, fc.uint8Array({ maxLength: 30 }), ({ bytes, address, port }, rest) => {
        const all = Buffer.concat([bytes, rest]);
        expect(readProxyHeader(all)).toEqual({ address, port, length: bytes.length });
        for (let to = 0; to < bytes.length; to++)
          expect(readProxyHeader(all.subarray(0, to))).toBe('incomplete');
      }),
      { ...SETTINGS, numRuns: 300 },
    );
  });

  it('with any byte changed is refused, waited for, or says an address', () => {
    fc.assert(
      fc.property(known, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ bytes }, at, change) => {
        const mutated = Buffer.from(bytes);
        const place = at % mutated.length;
        mutated[place] = (mutated[place] as number) ^ change;
        const read = readProxyHeader(mutated);
        if (typeof read === 'string') return;
        expect(read.length).toBeLessThanOrEqual(mutated.length);
        if (read.address !== undefined) expect(isIP(read.address)).not.toBe(0);
      }),
      SETTINGS,
    );
  });

  it('once refused stays refused, whatever comes after it', () => {
    fc.assert(
      fc.property(known, fc.nat(), fc.uint8Array({ maxLength: 20 }), ({ bytes }, at, garbage) => {
        const all = Buffer.concat([bytes.subarray(0, at % bytes.length), garbage]);
        let refused = false;
        for (let to = 0; to <= all.length; to++) {
          const isBad = readProxyHeader(all.subarray(0, to)) === 'bad';
          expect(isBad || !refused).toBe(true);
          refused = isBad;
        }
      }),
      SETTINGS,
    );
  });

  it('is never seen in bytes that begin otherwise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 300 }), (bytes) => {
        const text = Buffer.from(bytes).toString('latin1');
        fc.pre(!text.startsWith('PROXY ') && !text.startsWith('\r\n\r\n\0\r\nQUIT\n'));
        expect(readProxyHeader(bytes)).toBe('bad');
      }),
      SETTINGS,
    );
  });
});
