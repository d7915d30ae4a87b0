import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientHelloReader, type HelloVerdict, MAX_HELLO_WIRE_BYTES } from './client-hello.ts';
import { helloMessage, records } from './test-support/client-hello-bytes.ts';

const label = fc.stringMatching(/^[a-z0-9_][a-z0-9_-]{0,20}$/);
const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'));
const content = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const others = fc.array(fc.tuple(fc.integer({ min: 1, max: 65_535 }), content), { maxLength: 6 });
const hello = fc.record({
  name: fc.option(name, { nil: undefined }),
  extensions: others,
  sessionBytes: fc.integer({ min: 0, max: 32 }),
});
const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 8 });
const parameters = { seed: 1_702, numRuns: 300 };

/** Pushes the bytes in pieces until the verdict is final. */
function readInPieces(bytes: Buffer, pieces: readonly number[]): [HelloVerdict, ClientHelloReader] {
  const reader = new ClientHelloReader();
  let verdict: HelloVerdict = 'incomplete';
  let at = 0;
  for (const size of [...pieces, bytes.length]) {
    if (verdict !== 'incomplete' || at >= bytes.length) break;
    verdict = reader.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [verdict, reader];
}

describe('the first message of a TLS client', () => {
  it('is understood alike however it is cut into records and segments', () => {
    fc.assert(
      fc.property(hello, sizes, sizes, (options, fragments, segments) => {
        const wire = records(helloMessage(options), fragments);
        const [verdict, reader] = readInPieces(wire, segments);
        expect([verdict, reader.serverName]).toEqual(['complete', options.name]);
        expect(reader.bytes.equals(wire)).toBe(true);
      }),
      parameters,
    );
  });

  it('is incomplete before its last byte, wherever it is cut', () => {
    const wire = records(helloMessage({ name: 'a.example' }), [3, 40]);
    for (let cut = 0; cut < wire.length; cut++)
      expect(new ClientHelloReader().push(wire.subarray(0, cut))).toBe('incomplete');
  });

  it('gets the same verdict byte by byte as at once, with any bytes changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(hello, sizes, changes, (options, fragments, changed) => {
        const wire = records(helloMessage(options), fragments);
        for (const [at, value] of changed) wire[at % wire.length] = value;
        const [whole, one] = readInPieces(wire, []);
        const [apart, other] = readInPieces(wire, Array<number>(wire.length).fill(1));
        expect([apart, other.serverName]).toEqual([whole, one.serverName]);
      }),
      { ...parameters, numRuns: 1_500 },
    );
  });

  it('never throws and never keeps more than it may, whatever comes', () => {
    const noise = fc.uint8Array({ maxLength: 500 });
    const prefix = fc.constantFrom(
      [],
      [22],
      [22, 3, 1],
      [22, 3, 1, 1, 0, 1],
      [22, 3, 3, 0x40, 0, 1, 0],
    );
    fc.assert(
      fc.property(prefix, noise, sizes, (first, rest, segments) => {
        const bytes = Buffer.from([...first, ...rest]);
        const [verdict, reader] = readInPieces(bytes, segments);
        expect(['incomplete', 'complete', 'not-tls', 'malformed']).toContain(verdict);
        expect(reader.bytes.length).toBeLessThanOrEqual(MAX_HELLO_WIRE_BYTES);
      }),
      { ...parameters, numRuns: 3_000 },
    );
  });
});
