/** Hostile BTF: whatever the bytes, the answer is types or one kind of error, in little time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBpfError } from '../error/bpf-error.ts';
import { type BtfType, parseBtf } from './btf.ts';
import { BtfGraph } from './graph.ts';
import { writeBtf } from './test-support/btf-writer.ts';

const SEED = { seed: 20_260_102, numRuns: 2_000 };
const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/u);
const id = fc.nat({ max: 20 });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

const type: fc.Arbitrary<BtfType> = fc.oneof(
  fc
    .record({
      name,
      bytes: fc.constantFrom(1, 2, 4, 8, 16),
      signed: fc.boolean(),
      isBool: fc.boolean(),
    })
    .map((int) => ({ kind: 'int' as const, bits: 8 * int.bytes, ...int })),
  fc.record({ kind: fc.constant('array' as const), element: id, length: u32 }),
  fc.record({
    kind: fc.constantFrom(
      'pointer',
      'typedef',
      'volatile',
      'const',
      'restrict',
      'tag',
      'function' as const,
    ),
    name,
    type: id,
  }) as fc.Arbitrary<BtfType>,
  fc.record({ kind: fc.constant('variable' as const), name, type: id, isGlobal: fc.boolean() }),
  fc.record({
    kind: fc.constantFrom('struct' as const, 'union' as const),
    name,
    bytes: u32,
    members: fc.array(
      fc.record({
        name,
        type: id,
        bitOffset: fc.nat({ max: 0xff_ffff }),
        bitSize: fc.nat({ max: 255 }),
      }),
      { maxLength: 5 },
    ),
  }),
  fc
    .tuple(
      name,
      fc.boolean(),
      fc.boolean(),
      fc.array(fc.tuple(name, fc.bigInt({ min: 0n, max: 2n ** 31n - 1n })), { maxLength: 4 }),
    )
    .map(([enumName, signed, isWide, values]) => ({
      kind: 'enum' as const,
      name: enumName,
      bytes: isWide ? 8 : 4,
      signed,
      values: values.map(([key, value]) => ({ name: key, value: signed ? -value : value })),
    })),
  fc.record({
    kind: fc.constant('datasec' as const),
    name,
    variables: fc.array(fc.record({ type: id, offset: u32, bytes: u32 }), { maxLength: 4 }),
  }),
);

/** Asks everything that can be asked. */
function askEverything(bytes: Uint8Array): void {
  try {
    const types = parseBtf(bytes);
    const graph = new BtfGraph(types);
    for (let index = 0; index < Math.min(types.length, 100); index += 1) {
      for (const ask of [
        () => graph.resolved(index),
        () => graph.sizeOf(index),
        () => graph.typedefNames(index),
      ]) {
        try {
          ask();
        } catch (error) {
          if (!isBpfError(error, 'EVENKEEL_BPF_FORMAT')) throw error;
        }
      }
    }
  } catch (error) {
    if (!isBpfError(error, 'EVENKEEL_BPF_FORMAT')) throw error;
  }
}

describe('BTF', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.array(type, { maxLength: 20 }), (types) => {
        expect(parseBtf(writeBtf(types))).toEqual([{ kind: 'void' }, ...types]);
      }),
      { ...SEED, numRuns: 500 },
    );
  });

  it('of random references ends in an answer or a format error', () => {
    fc.assert(
      fc.property(fc.array(type, { maxLength: 20 }), (types) => askEverything(writeBtf(types))),
      SEED,
    );
  });

  it('of random bytes ends in an answer or a format error', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), askEverything), SEED);
  });

  it('with bytes changed, cut or added ends in an answer or a format error', () => {
    const mutation = fc.tuple(
      fc.array(type, { minLength: 1, maxLength: 10 }),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 8 }),
      fc.nat({ max: 64 }),
    );
    fc.assert(
      fc.property(mutation, ([types, changes, cut]) => {
        const bytes = writeBtf(types);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        askEverything(bytes);
        askEverything(bytes.subarray(0, Math.max(0, bytes.length - cut)));
      }),
      SEED,
    );
  });
});
