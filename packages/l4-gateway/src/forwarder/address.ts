import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { ConfigError } from '@evenkeel/core';

/** An address as text and as the program's maps have it. */
export interface IpAddress {
  /** The one way to write it (RFC 5952), so that equal addresses have equal texts. */
  readonly text: string;
  readonly family: 4 | 6;
  /** In the order of the wire; IPv4 takes the first four, and zeros follow. */
  readonly bytes: Uint8Array;
}

/** What every part of this package raises for a value that cannot be. */
export function wrong(path: string, expected: string, actual: unknown): ConfigError {
  return new ConfigError([{ path, expected, actual: JSON.stringify(actual) ?? 'nothing' }]);
}

/** @throws ConfigError for anything but an address; a zone (`%eth0`) or an IPv4 address in IPv6 clothes is refused too */
export function parseAddress(text: string, path: string): IpAddress {
  const bytes = new Uint8Array(16);
  if (isIPv4(text)) {
    bytes.set(text.split('.').map(Number));
    return { text, family: 4, bytes };
  }
  if (!isIPv6(text) || text.includes('%')) throw wrong(path, 'an IPv4 or IPv6 address', text);
  const canonical = new SocketAddress({ address: text, family: 'ipv6' }).address;
  if (canonical.includes('.')) {
    throw wrong(path, 'an IPv4 address as such, or an IPv6 address that contains none', text);
  }
  const groups = expandGroups(canonical);
  groups.forEach((group, index) => {
    bytes[2 * index] = group >> 8;
    bytes[2 * index + 1] = group & 0xff;
  });
  return { text: canonical, family: 6, bytes };
}

function expandGroups(canonical: string): number[] {
  const [head = '', tail] = canonical.split('::');
  const parse = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const before = parse(head);
  if (tail === undefined) return before;
  const after = parse(tail);
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

/** @throws ConfigError unless it is six bytes in hexadecimal with colons between */
export function parseMac(text: string, path: string): Uint8Array {
  if (!/^[\da-f]{2}(:[\da-f]{2}){5}$/iu.test(text)) {
    throw wrong(path, 'an Ethernet address like 02:00:00:00:00:01', text);
  }
  const bytes = Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16));
  if (((bytes[0] as number) & 1) === 1) {
    throw wrong(path, 'the Ethernet address of one station, not of a group', text);
  }
  return bytes;
}
