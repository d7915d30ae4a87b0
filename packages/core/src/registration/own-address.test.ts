import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { findOwnAddress, isOwnAddress } from './own-address.ts';

const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);

describe('findOwnAddress', () => {
  it.each(['127.0.0.1', 'localhost'])(
    'finds an address of this host towards %s, and one that leads outside where there is one',
    async (host) => {
      const found = await findOwnAddress({ host, port: 8500 });
      expect(isIP(found)).not.toBe(0);
      expect(isOwnAddress(found)).toBe(true);
      const leadsOutside = own.some(
        ({ internal, address }) => !internal && !/^(169\.254|fe80)/u.test(address),
      );
      expect(found.startsWith('127.') || found === '::1').toBe(!leadsOutside);
    },
  );

  it('rejects for a name that does not exist', async () => {
    await expect(findOwnAddress({ host: 'nowhere.invalid', port: 1 })).rejects.toThrow(
      /ENOTFOUND|EAI_AGAIN/u,
    );
  });
});

describe('isOwnAddress', () => {
  it('knows loopback and the interfaces of this host', () => {
    expect(['localhost', '127.0.0.1', '127.1.2.3', '::1'].every(isOwnAddress)).toBe(true);
    for (const { address } of own) expect(isOwnAddress(address)).toBe(true);
    expect(isOwnAddress('192.0.2.7')).toBe(false);
    expect(isOwnAddress('consul.internal')).toBe(false);
  });
});
