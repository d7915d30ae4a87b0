import { type IpAddress, parseAddress, wrong } from './address.ts';

/** Addresses that begin alike: `10.0.0.0/8`. */
export interface IpPrefix {
  /** The one way to write it: `10.0.0.0/8`. */
  readonly text: string;
  readonly address: IpAddress;
  /** How many bits count. */
  readonly bits: number;
}

/**
 * An address alone means itself.
 *
 * @throws ConfigError for anything but a prefix, and for one with bits behind its length: `10.0.0.1/8` is a mistake
 */
export function parsePrefix(text: string, path: string): IpPrefix {
  const [host = '', length, ...rest] = text.split('/');
  const address = parseAddress(host, path);
  const whole = address.family === 4 ? 32 : 128;
  const bits = length === undefined ? whole : Number(length);
  if (rest.length > 0 || (length !== undefined && !/^\d{1,3}$/u.test(length)) || bits > whole) {
    throw wrong(path, `a prefix of 0 to ${whole} bits`, text);
  }
  if (hasBitsBehind(address.bytes, bits)) {
    throw wrong(path, `a prefix whose bits behind the first ${bits} are zero`, text);
  }
  return { text: `${address.text}/${bits}`, address, bits };
}

function hasBitsBehind(bytes: Uint8Array, bits: number): boolean {
  return bytes.some((byte, index) => {
    const kept = Math.min(8, Math.max(0, bits - 8 * index));
    return (byte & (0xff >> kept)) !== 0;
  });
}
