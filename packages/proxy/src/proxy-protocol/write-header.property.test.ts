import fc from 'fast-check';
import { SocketAddress } from 'node:net';
import { describe, expect, it } from 'vitest';
import { readProxyHeader } from './proxy-header.ts';
import { writeProxyHeader } from './write-header.ts';

const RUN = { seed: 20_300_216, numRuns: 2_000 } as const;

const port = fc.integer({ min: 0, max: 65_535 });
const place4 = fc.record({ address: fc.ipV4(), port });
const place6 = fc.record({ address: fc.ipV6(), port });
const version = fc.constantFrom('v1' as const, 'v2' as const);

const canonical6 = (address: string): string =>
  new SocketAddress({ family: 'ipv6', address }).address;

describe('a header that is written', () => {
  it('is read as the client that it is of', () => {
    fc.assert(
      fc.property(version, place4, place4, (of, source, destination) => {
        const header = writeProxyHeader(of, source, destination);
        expect(readProxyHeader(header)).toEqual({ ...source, length: header.length });
      }),
      RUN,
    );
    fc.assert(
      fc.property(place6, place6, (source, destination) => {
        const isMapped = canonical6(source.address).startsWith('::ffff:');
        fc.pre(!isMapped && !canonical6(destination.address).startsWith('::ffff:'));
        const header = writeProxyHeader('v2', source, destination);
        const { port: sourcePort, address } = source;
        expect(readProxyHeader(header)).toEqual({
          address: canonical6(address),
          port: sourcePort,
          length: header.length,
        });
      }),
      RUN,
    );
  });

  it.each(['v1', 'v2'] as const)('says nothing where families differ, in %s', (of) => {
    const header = writeProxyHeader(
      of,
      { address: '127.0.0.1', port: 1 },
      { address: '::1', port: 2 },
    );
    expect(readProxyHeader(header)).toEqual({ address: undefined, port: 0, length: header.length });
  });

  it.each(['v1', 'v2'] as const)('takes IPv4 in IPv6 for IPv4, in %s', (of) => {
    const source = { address: '::ffff:127.0.0.9', port: 1 };
    const header = writeProxyHeader(of, source, { address: '::ffff:127.0.0.1', port: 2 });
    expect(readProxyHeader(header)).toMatchObject({ address: '127.0.0.9', port: 1 });
  });

  it('is as the specification writes it', () => {
    const source = { address: '127.0.0.1', port: 256 };
    const destination = { address: '127.0.0.2', port: 443 };
    expect(writeProxyHeader('v1', source, destination).toString('latin1')).toBe(
      'PROXY TCP4 127.0.0.1 127.0.0.2 256 443\r\n',
    );
    expect(writeProxyHeader('v2', source, destination).toString('hex')).toBe(
      '0d0a0d0a000d0a515549540a' + '2111000c' + '7f000001' + '7f000002' + '0100' + '01bb',
    );
  });
});
