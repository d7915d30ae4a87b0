/**
 * Just enough of the WebAssembly binary format (W3C WebAssembly Core Specification 2.0, section 5) to write one
 * function over 64-bit integers by hand. Code is a list of bytes; the helpers return such lists, to be spread.
 *
 * A module written this way can be reviewed line by line, unlike a binary blob in the repository.
 */

/** Opcodes that take no immediate operand (section 5.4), by their name in the text format. */
export const op = {
  else: 0x05,
  end: 0x0b,
  i32Add: 0x6a,
  i32GreaterUnsigned: 0x4b,
  i32NotLessUnsigned: 0x4f,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64Or: 0x84,
  i64Xor: 0x85,
  i64ShiftLeft: 0x86,
  i64ShiftRightUnsigned: 0x88,
  i64RotateLeft: 0x89,
  i32WrapI64: 0xa7,
  i64ExtendUnsigned: 0xad,
} as const;

/** Loads that take an address from the stack, by their opcode. */
export const load = { i64: 0x29, i64From8: 0x31, i64From32: 0x35 } as const;

const NO_RESULT = 0x40;
const I32 = 0x7f;
const I64 = 0x7e;

export function localGet(index: number): readonly number[] {
  return [0x20, ...unsigned(index)];
}

export function localSet(index: number): readonly number[] {
  return [0x21, ...unsigned(index)];
}

export function i32Const(value: number): readonly number[] {
  return [0x41, ...signed(BigInt(value))];
}

/** A constant given by its 64 bits. */
export function i64Const(bits: bigint): readonly number[] {
  return [0x42, ...signed(BigInt.asIntN(64, bits))];
}

/** Pops an address and pushes what is `offset` bytes behind it; alignment is only a hint and left at 1. */
export function loadAt(opcode: number, offset: number): readonly number[] {
  return [opcode, 0, ...unsigned(offset)];
}

/** Pops a value and an address and stores the 64 bits there. */
export function i64Store(): readonly number[] {
  return [0x37, 0, 0];
}

/** Pops a condition; runs `then` when it is not 0, else `otherwise`. */
export function ifElse(then: readonly number[], otherwise: readonly number[]): readonly number[] {
  return [0x04, NO_RESULT, ...then, op.else, ...otherwise, op.end];
}

/** Repeats `body` until `done` leaves something other than 0. */
export function until(done: readonly number[], body: readonly number[]): readonly number[] {
  // block { loop { br_if 1 (done); body; br 0 } }
  return [0x02, NO_RESULT, 0x03, NO_RESULT, ...done, 0x0d, 1, ...body, 0x0c, 0, op.end, op.end];
}

/** A module of one function `run` on i32 parameters with an i32 result, and one 64 KiB `memory`. */
export interface FunctionModule {
  readonly parameters: number;
  /** Local variables behind the parameters: first the 32-bit ones, then the 64-bit ones. */
  readonly i32Locals: number;
  readonly i64Locals: number;
  readonly code: readonly number[];
}

/** The bytes of a module (section 5.5). */
export function encodeModule(module: FunctionModule): Uint8Array<ArrayBuffer> {
  const type = [
    0x60,
    ...vector(Array.from({ length: module.parameters }, () => [I32])),
    ...vector([[I32]]),
  ];
  const locals = [
    [...unsigned(module.i32Locals), I32],
    [...unsigned(module.i64Locals), I64],
  ];
  const body = [...vector(locals), ...module.code, op.end];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // "\0asm", version 1
    ...section(1, vector([type])),
    ...section(3, vector([[0]])), // function 0 has type 0
    ...section(5, vector([[0x01, 1, 1]])), // one memory of exactly one page
    ...section(
      7,
      vector([
        [...name('memory'), 0x02, 0],
        [...name('run'), 0x00, 0],
      ]),
    ),
    ...section(10, vector([[...unsigned(body.length), ...body]])),
  ]);
}

function section(id: number, content: readonly number[]): readonly number[] {
  return [id, ...unsigned(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): readonly number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function name(text: string): readonly number[] {
  return [...unsigned(text.length), ...Array.from(text, (letter) => letter.charCodeAt(0))];
}

/** LEB128, unsigned (section 5.2.2). */
function unsigned(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}

/** LEB128, signed: ends once the rest is only copies of the sign bit just written. */
function signed(value: bigint): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest < -64n || rest > 63n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest & 0x7fn)];
}
