/**
 * Addresses as numbers: one word of 32 bits for IPv4, four for IPv6, the most significant first. A mapped address
 * (`::ffff:10.0.0.1`, RFC 4291 section 2.5.5.2) is the IPv4 address that it stands for: the same client.
 */
import { isIP } from 'node:net';

/** Words of an address; 0 for what is none. */
export type Width = 0 | 1 | 4;

/** @param words takes the result; of four words */
export function readAddress(text: string, words: Uint32Array): Width {
  const family = isIP(text);
  if (family === 4) {
    words[0] = readIpv4(text, 0);
    return 1;
  }
  if (family !== 6) return 0;
  readIpv6(text, words);
  if (words[0] !== 0 || words[1] !== 0 || words[2] !== 0xffff) return 4;
  words[0] = words[3] as number;
  return 1;
}

/** Keeps the first bits of an address, clears the others. */
export function maskAddress(words: Uint32Array, width: Width, bits: number): void {
  for (let word = 0; word < width; word++) {
    const kept = Math.min(32, Math.max(0, bits - word * 32));
    const mask = kept === 0 ? 0 : (-1 << (32 - kept)) >>> 0;
    words[word] = ((words[word] as number) & mask) >>> 0;
  }
}

/** @param text a valid address from `from` on */
function readIpv4(text: string, from: number): number {
  let value = 0;
  let part = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x2e) {
      value = value * 256 + part;
      part = 0;
    } else {
      part = part * 10 + (code - 0x30);
    }
  }
  return value * 256 + part;
}

/** @param text a valid address, a zone behind `%` included */
function readIpv6(text: string, words: Uint32Array): void {
  const percent = text.indexOf('%');
  const plain = percent < 0 ? text : text.slice(0, percent);
  const [head = '', tail] = plain.split('::');
  const first = groupsOf(head);
  const last = tail === undefined ? [] : groupsOf(tail);
  for (let word = 0; word < 4; word++) {
    words[word] =
      (groupAt(first, last, word * 2) * 0x1_0000 + groupAt(first, last, word * 2 + 1)) >>> 0;
  }
}

/** Of the eight groups of 16 bits: those before `::`, zeros, those after it. */
function groupAt(first: readonly number[], last: readonly number[], at: number): number {
  return first[at] ?? last[at - (8 - last.length)] ?? 0;
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const value = readIpv4(group, 0);
    return [value >>> 16, value & 0xffff];
  });
}
