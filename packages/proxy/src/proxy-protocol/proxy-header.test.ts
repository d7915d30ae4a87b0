import { describe, expect, it } from 'vitest';
import { readProxyHeader } from './proxy-header.ts';
import { IPV4, SIGNATURE, version2Header } from './test-support/version2-header.ts';

const read = (text: string): unknown => readProxyHeader(Buffer.from(text, 'latin1'));
const own = { address: undefined, port: 0 };

describe('version 1 of the PROXY protocol', () => {
  it.each([
    ['PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n', { address: '192.0.2.1', port: 56_324 }],
    [
      'PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n',
      { address: '255.255.255.255', port: 65_535 },
    ],
    ['PROXY TCP6 2001:DB8::1 ::1 1 2\r\n', { address: '2001:db8::1', port: 1 }],
    ['PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n', { address: '::ffff:192.0.2.1', port: 1 }],
    ['PROXY UNKNOWN\r\n', own],
    ['PROXY UNKNOWN ffff:f:f:f 1 what ever\r\n', own],
  ])('%j', (line, client) => {
    expect(read(line)).toEqual({ ...client, length: line.length });
    expect(read(`${line}GET / HTTP/1.1\r\n`)).toEqual({ ...client, length: line.length });
  });

  it('holds the longest line, and no longer one', () => {
    const longest = `PROXY UNKNOWN ${'x'.repeat(107 - 16)}\r\n`;
    expect(longest).toHaveLength(107);
    expect(read(longest)).toEqual({ ...own, length: 107 });
    expect(read(longest.slice(0, -1))).toBe('incomplete');
    expect(read(`PROXY UNKNOWN ${'x'.repeat(107 - 15)}\r\n`)).toBe('bad');
    expect(read(`PROXY UNKNOWN ${'x'.repeat(107 - 14)}`)).toBe('bad');
  });

  it.each([
    'GET / HTTP/1.1\r\n',
    'proxy TCP4 192.0.2.1 198.51.100.7 1 2\r\n',
    'PROXY\r\n',
    'PROXY \r\n',
    'PROXY TCP4\r\n',
    'PROXY TCP5 192.0.2.1 198.51.100.7 1 2\r\n',
    'PROXY  TCP4 192.0.2.1 198.51.100.7 1 2\r\n',
    'PROXY TCP4 192.0.2.1  198.51.100.7 1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.7 1 2 \r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.7 1\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.7 1 2 3\r\n',
    'PROXY TCP4 192.0.2.01 198.51.100.7 1 2\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.7 1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100 1 2\r\n',
    'PROXY TCP4 ::1 ::1 1 2\r\n',
    'PROXY TCP6 192.0.2.1 198.51.100.7 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.7 65536 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.7 01 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.7 -1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.7 +1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.7 1e3 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.7 1 \r\n',
    'PROXY TCP4 192.0.2.1\t198.51.100.7 1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.7 1 2\n',
    'PROXY TCP4 192.0.2.1 198.51.100.7 1 2\rx',
    'PROXY UNKNOWN \0\r\n',
    'PROXY UNKNOWN \xff\r\n',
    'PROXY unknown\r\n',
  ])('refuses %j', (line) => {
    expect(read(line)).toBe('bad');
  });
});

describe('version 2 of the PROXY protocol', () => {
  const client = { address: '192.0.2.1', port: 56_324 };
  const ipv6 = [
    ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    ...Array.from({ length: 16 }, () => 9),
    ...[0x1f, 0x90, 1, 0xbb],
  ];

  it.each([
    ['IPv4', { following: IPV4 }, client],
    ['IPv4 with further values', { following: [...IPV4, 4, 0, 2, 7, 7, 0xee, 0, 0] }, client],
    ['IPv6', { family: 0x21, following: ipv6 }, { address: '2001:db8::1', port: 8_080 }],
    [
      'IPv6 that holds IPv4',
      {
        family: 0x21,
        following: [...Array(10).fill(0), 255, 255, 192, 0, 2, 1, ...ipv6.slice(16)],
      },
      { address: '::ffff:192.0.2.1', port: 8_080 },
    ],
    ['a Unix socket', { family: 0x31, following: Array<number>(216).fill(0x61) }, own],
    ['an unknown family', { family: 0, following: [] }, own],
    ['an own connection', { command: 0x20, family: 0, following: [] }, own],
    ['an own connection with anything', { command: 0x20, family: 0xff, following: [1, 2] }, own],
  ])('tells of %s', (_, parts, expected) => {
    const header = version2Header(parts as Parameters<typeof version2Header>[0]);
    expect(readProxyHeader(header)).toEqual({ ...expected, length: header.length });
    const more = Buffer.concat([header, Buffer.from('GET /')]);
    expect(readProxyHeader(more)).toEqual({ ...expected, length: header.length });
  });

  it.each([
    ['version 1 in binary', { command: 0x11, following: IPV4 }],
    ['another command', { command: 0x22, following: IPV4 }],
    ['datagrams', { family: 0x12, following: IPV4 }],
    ['an IPv4 stream without a transport', { family: 0x10, following: IPV4 }],
    ['another family', { family: 0x41, following: IPV4 }],
    ['too few addresses', { following: IPV4.slice(1) }],
    ['IPv4 said to be IPv6', { family: 0x21, following: IPV4 }],
    ['a value without a length', { following: [...IPV4, 4, 0] }],
    ['a value beyond the end', { following: [...IPV4, 4, 0, 3, 1, 2] }],
    ['more than anybody needs', { following: IPV4, length: 4_097 }],
  ])('refuses %s', (_, parts) => {
    expect(readProxyHeader(version2Header(parts))).toBe('bad');
  });

  it('waits for as much as it was told of, within limits', () => {
    const header = version2Header({ following: IPV4, length: 4_096 });
    expect(readProxyHeader(header)).toBe('incomplete');
  });

  it('refuses a wrong byte of the signature as soon as it comes', () => {
    for (let at = 0; at < SIGNATURE.length; at++) {
      const bytes = Buffer.from(SIGNATURE.slice(0, at + 1));
      expect(readProxyHeader(bytes)).toBe('incomplete');
      bytes[at] = (bytes[at] as number) ^ 1;
      expect(readProxyHeader(bytes)).toBe('bad');
    }
  });

  it('is nothing before the first byte', () => {
    expect(readProxyHeader(Buffer.alloc(0))).toBe('incomplete');
  });
});
