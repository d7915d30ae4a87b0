/**
 * XXH64 as WebAssembly, which has the 64-bit multiplication and rotation that JavaScript lacks: two to three times as
 * fast as the limbs, and it needs no binary in the repository (see wasm-assembler.ts).
 */
import {
  encodeModule,
  i32Const,
  i64Const,
  i64Store,
  ifElse,
  load,
  loadAt,
  localGet,
  localSet,
  op,
  until,
} from './wasm-assembler.ts';

/** The hash function over one shared input buffer. Synchronous, so that all hashers of a thread may use one. */
export interface WasmXxHash64 {
  /** Write the input here, as little-endian words. */
  readonly words: Int32Array;
  /** Upper half of the last result at index 1. */
  readonly result: Int32Array;
  /** Hashes the first `length` bytes of `words` and returns the lower half of the result. */
  run(length: number, seedHi: number, seedLo: number): number;
}

/** The result is stored at address 0, the input begins at 16. */
const INPUT_ADDRESS = 16;
/** Bytes of input that fit the single page of memory. */
export const WASM_INPUT_BYTES: number = 65_536 - INPUT_ADDRESS;

// Parameters and local variables.
const LENGTH = 0;
const SEED_HI = 1;
const SEED_LO = 2;
const NEXT = 3;
const END = 4;
const SEED = 5;
const HASH = 6;
const LANES = [7, 8, 9, 10] as const;

const PRIME1 = 0x9e3779b185ebca87n;
const PRIME2 = 0xc2b2ae3d27d4eb4fn;
const PRIME3 = 0x165667b19e3779f9n;
const PRIME4 = 0x85ebca77c2b2ae63n;
const PRIME5 = 0x27d4eb2f165667c5n;

type Code = readonly number[];

const input = (opcode: number, offset = 0): Code => [...localGet(NEXT), ...loadAt(opcode, offset)];
const advance = (bytes: number): Code => [
  ...localGet(NEXT),
  ...i32Const(bytes),
  op.i32Add,
  ...localSet(NEXT),
];
const times = (prime: bigint): Code => [...i64Const(prime), op.i64Mul];
const plus = (prime: bigint): Code => [...i64Const(prime), op.i64Add];
const rotate = (bits: bigint): Code => [...i64Const(bits), op.i64RotateLeft];

/** Runs `body`, which takes `bytes` of input, as long as that many are left. */
const whileLeft = (bytes: number, body: Code): Code =>
  until(
    [...localGet(NEXT), ...i32Const(bytes), op.i32Add, ...localGet(END), op.i32GreaterUnsigned],
    [...body, ...advance(bytes)],
  );

/** Pushes `rotl(accumulator + lane * PRIME2, 31) * PRIME1`. */
const round = (accumulator: Code, lane: Code): Code => [
  ...accumulator,
  ...lane,
  ...times(PRIME2),
  op.i64Add,
  ...rotate(31n),
  ...times(PRIME1),
];

const xorShift = (bits: bigint): Code => [
  ...localGet(HASH),
  ...localGet(HASH),
  ...i64Const(bits),
  op.i64ShiftRightUnsigned,
  op.i64Xor,
];

/** The specification's steps 1 to 3: four lanes over 32-byte stripes, then merged. */
const stripes: Code = [
  ...[PRIME1 + PRIME2, PRIME2, 0n, -PRIME1].flatMap((start, lane) => [
    ...localGet(SEED),
    ...plus(start),
    ...localSet(LANES[lane] as number),
  ]),
  ...whileLeft(
    32,
    LANES.flatMap((lane, index) => [
      ...round(localGet(lane), input(load.i64, index * 8)),
      ...localSet(lane),
    ]),
  ),
  ...i64Const(0n),
  ...LANES.flatMap((lane, index) => [
    ...localGet(lane),
    ...rotate([1n, 7n, 12n, 18n][index] as bigint),
    op.i64Add,
  ]),
  ...localSet(HASH),
  ...LANES.flatMap((lane) => [
    ...localGet(HASH),
    ...round(i64Const(0n), localGet(lane)),
    op.i64Xor,
    ...times(PRIME1),
    ...plus(PRIME4),
    ...localSet(HASH),
  ]),
];

const code: Code = [
  ...[...localGet(SEED_HI), op.i64ExtendUnsigned, ...i64Const(32n), op.i64ShiftLeft],
  ...[...localGet(SEED_LO), op.i64ExtendUnsigned, op.i64Or, ...localSet(SEED)],
  ...[...i32Const(INPUT_ADDRESS), ...localSet(NEXT)],
  ...[...i32Const(INPUT_ADDRESS), ...localGet(LENGTH), op.i32Add, ...localSet(END)],

  ...[...localGet(LENGTH), ...i32Const(32), op.i32NotLessUnsigned],
  ...ifElse(stripes, [...localGet(SEED), ...plus(PRIME5), ...localSet(HASH)]),
  ...[...localGet(HASH), ...localGet(LENGTH), op.i64ExtendUnsigned, op.i64Add, ...localSet(HASH)],

  // Steps 5: whole words of 8 bytes, one of 4, single bytes.
  ...whileLeft(8, [
    ...[...localGet(HASH), ...round(i64Const(0n), input(load.i64)), op.i64Xor],
    ...[...rotate(27n), ...times(PRIME1), ...plus(PRIME4), ...localSet(HASH)],
  ]),
  ...whileLeft(4, [
    ...[...localGet(HASH), ...input(load.i64From32), ...times(PRIME1), op.i64Xor],
    ...[...rotate(23n), ...times(PRIME2), ...plus(PRIME3), ...localSet(HASH)],
  ]),
  ...whileLeft(1, [
    ...[...localGet(HASH), ...input(load.i64From8), ...times(PRIME5), op.i64Xor],
    ...[...rotate(11n), ...times(PRIME1), ...localSet(HASH)],
  ]),

  // Step 6: avalanche.
  ...[...xorShift(33n), ...times(PRIME2), ...localSet(HASH)],
  ...[...xorShift(29n), ...times(PRIME3), ...localSet(HASH)],
  ...[...xorShift(32n), ...localSet(HASH)],
  ...[...i32Const(0), ...localGet(HASH), ...i64Store()],
  ...[...localGet(HASH), op.i32WrapI64],
];

/** What is needed of the global `WebAssembly`, whose types belong to the browser library. */
interface WebAssemblyPort {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer };
      readonly run: WasmXxHash64['run'];
    };
  };
}

/**
 * Compiles the function (0.2 ms), or returns undefined where that is impossible: no WebAssembly (`--jitless`), a
 * policy against it, or a machine with big-endian words.
 */
export function compileXxHash64(
  webAssembly: unknown = Reflect.get(globalThis, 'WebAssembly'),
): WasmXxHash64 | undefined {
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  if (!littleEndian || typeof webAssembly !== 'object' || webAssembly === null) return undefined;
  try {
    const { Module, Instance } = webAssembly as WebAssemblyPort;
    const bytes = encodeModule({ parameters: 3, i32Locals: 2, i64Locals: 6, code });
    const { memory, run } = new Instance(new Module(bytes)).exports;
    return {
      words: new Int32Array(memory.buffer, INPUT_ADDRESS),
      result: new Int32Array(memory.buffer, 0, 2),
      run,
    };
  } catch {
    return undefined; // the caller has a slower way
  }
}

let shared: WasmXxHash64 | undefined | null = null;

/** The function for this thread, compiled on first use. */
export function sharedXxHash64(): WasmXxHash64 | undefined {
  if (shared === null) shared = compileXxHash64();
  return shared;
}
