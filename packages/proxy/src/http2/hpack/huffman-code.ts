/**
 * The Huffman code of RFC 7541 appendix B. It is canonical: codes of one length are consecutive numbers in the order of
 * their symbols, and the first code of a length follows the last one of the length before, shifted. So the lengths are
 * all there is to know.
 */

/** Ends a string in theory; must never be decoded. */
export const EOS = 256;

/** Longest code. */
export const MAX_CODE_BITS = 30;

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
const letters = (text: string): number[] => [...Buffer.from(text, 'latin1')];

/** Symbols by the length of their code. */
const SYMBOLS: readonly (readonly [number, readonly number[]])[] = [
  [5, letters('012aceiost')],
  [6, letters(' %-./3456789=A_bdfghlmnpru')],
  [7, letters(':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz')],
  [8, letters('&*,;XZ')],
  [10, letters('!"()?')],
  [11, letters("'+|")],
  [12, letters('#>')],
  [13, [0, ...letters('$@[]~')]],
  [14, letters('^}')],
  [15, letters('<`{')],
  [19, [0x5c, 195, 208]],
  [20, [128, 130, 131, 162, 184, 194, 224, 226]],
  [21, [153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230]],
  [
    22,
    [
      129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187,
      189, 190, 196, 198, 228, 232, 233,
    ],
  ],
  [
    23,
    [
      1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158, 165, 166, 168,
      174, 175, 180, 182, 183, 188, 191, 197, 231, 239,
    ],
  ],
  [24, [9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237]],
  [25, [199, 207, 234, 235]],
  [26, [192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255]],
  [
    27,
    [203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254],
  ],
  [28, [...range(2, 8), 11, 12, ...range(14, 21), ...range(23, 31), 127, 220, 249]],
  [30, [10, 13, 22, EOS]],
];

/** Length of each symbol's code in bits. */
export const CODE_BITS: Uint8Array = new Uint8Array(257);
/** Each symbol's code. */
export const CODE: Uint32Array = new Uint32Array(257);
/** By length: the first code, how many there are, and where their symbols begin in {@link BY_CODE}. */
export const FIRST_CODE: Uint32Array = new Uint32Array(MAX_CODE_BITS + 1);
export const CODE_COUNT: Uint16Array = new Uint16Array(MAX_CODE_BITS + 1);
export const FIRST_SYMBOL: Uint16Array = new Uint16Array(MAX_CODE_BITS + 1);
/** Symbols in the order of their codes. */
export const BY_CODE: Uint16Array = new Uint16Array(257);

assignCodes();

function assignCodes(): void {
  let code = 0;
  let bits = 0;
  let place = 0;
  for (const [length, symbols] of SYMBOLS) {
    code <<= length - bits;
    bits = length;
    FIRST_CODE[length] = code;
    CODE_COUNT[length] = symbols.length;
    FIRST_SYMBOL[length] = place;
    for (const symbol of symbols) {
      CODE_BITS[symbol] = length;
      CODE[symbol] = code++;
      BY_CODE[place++] = symbol;
    }
  }
}
