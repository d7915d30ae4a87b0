import { describe, expect, it } from 'vitest';
import { createAddress, formatAddress, parseAddress } from './address.ts';

describe('parseAddress', () => {
  it.each([
    ['10.0.0.1:80', { kind: 'ip', family: 4, host: '10.0.0.1', port: 80 }],
    ['[::1]:443', { kind: 'ip', family: 6, host: '::1', port: 443 }],
    ['[0:0:0:0:0:0:0:1]:443', { kind: 'ip', family: 6, host: '::1', port: 443 }],
    ['[2001:DB8::A]:1', { kind: 'ip', family: 6, host: '2001:db8::a', port: 1 }],
    ['[fe80::1%eth0]:1', { kind: 'ip', family: 6, host: 'fe80::1%eth0', port: 1 }],
    ['Users.Internal:65535', { kind: 'hostname', host: 'users.internal', port: 65_535 }],
    ['my_service-1:8080', { kind: 'hostname', host: 'my_service-1', port: 8_080 }],
    ['unix:/run/app.sock', { kind: 'unix', path: '/run/app.sock' }],
  ])('reads %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
    expect(parseAddress(formatAddress(parseAddress(text)))).toEqual(address);
  });

  it.each([
    ['', 'a text without a port'],
    ['localhost', 'no port'],
    ['localhost:', 'an empty port'],
    ['localhost:0', 'port 0'],
    ['localhost:65536', 'a port above 65535'],
    ['localhost:80x', 'a port that is not a number'],
    ['http://localhost:80', 'a URL'],
    ['::1:80', 'IPv6 without brackets'],
    ['[::1]', 'IPv6 without a port'],
    ['[localhost]:80', 'a name in brackets'],
    ['1.2.3.999:80', 'a mistyped IPv4 address'],
    ['256:80', 'a number for a host'],
    ['-bad:80', 'a label that begins with a hyphen'],
    ['a b:80', 'a space'],
    ['user@host:80', 'user information'],
    ['unix:', 'an empty socket path'],
    [`unix:/${'x'.repeat(107)}`, 'a socket path over 107 bytes'],
    ['unix:/a\0b', 'a NUL in a socket path'],
  ])('refuses %j: %s', (text) => {
    expect(() => parseAddress(text, 'endpoints[3]')).toThrow(/^endpoints\[3\]/);
  });
});

describe('createAddress', () => {
  it('names the field and what it found', () => {
    expect(() => createAddress('h', 70_000, 'e')).toThrow(
      'e.port: expected an integer from 1 to 65535, got 70000',
    );
    expect(() => createAddress('a..b', 80, 'e')).toThrow(
      'e.host: expected an IPv4 or IPv6 address or a host name, got "a..b"',
    );
  });
});
