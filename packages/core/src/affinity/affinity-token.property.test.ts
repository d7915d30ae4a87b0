import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AffinityTokens } from './affinity-token.ts';

const RUN = { seed: 20_300_104, numRuns: 500 } as const;
const OLD = 'the old secret of 26 bytes';
const NEW = 'the new secret of 26 bytes';
const SCOPE = { cluster: 'users', cookie: 'route' };

const tokens = new AffinityTokens([NEW], SCOPE);
const id = fc.string({ unit: 'grapheme' });
const expiry = fc.nat(2 ** 40 - 1);

describe('AffinityTokens', () => {
  it('read back what they have signed', () => {
    fc.assert(
      fc.property(id, expiry, (endpointId, expiresAtS) => {
        const token = tokens.sign(endpointId, expiresAtS);
        expect(token).toMatch(/^[A-Za-z0-9_-]{48}$/);
        expect(tokens.verify(token)).toEqual({
          endpointName: tokens.endpointName(endpointId, 0),
          expiresAtS,
          secretIndex: 0,
        });
      }),
      RUN,
    );
  });

  it('refuse a token of which any character was changed', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    fc.assert(
      fc.property(
        id,
        expiry,
        fc.nat(47),
        fc.constantFrom(...alphabet),
        (endpointId, expiresAtS, at, character) => {
          const token = tokens.sign(endpointId, expiresAtS);
          if (token[at] === character) return;
          expect(
            tokens.verify(token.slice(0, at) + character + token.slice(at + 1)),
          ).toBeUndefined();
        },
      ),
      RUN,
    );
  });

  it('refuse parts of two tokens put together', () => {
    const one = tokens.sign('10.0.0.1:80', 1_000);
    const other = tokens.sign('10.0.0.2:80', 2_000);
    for (let at = 1; at < 48; at++) {
      const mixed = one.slice(0, at) + other.slice(at);
      if (mixed !== one && mixed !== other) expect(tokens.verify(mixed)).toBeUndefined();
    }
  });

  it.each([
    '',
    'x',
    'A'.repeat(47),
    'A'.repeat(48),
    'A'.repeat(49),
    'A'.repeat(100_000),
    `${'A'.repeat(47)}=`,
    `${'A'.repeat(47)}+`,
    `${'A'.repeat(47)}\n`,
    `${tokens.sign('a', 1)}=`,
    ` ${tokens.sign('a', 1)}`,
    `${tokens.sign('a', 1)}\n`,
    '\u{1F600}'.repeat(24),
  ])('refuse %j', (value) => {
    expect(tokens.verify(value)).toBeUndefined();
  });

  it('refuse whatever else a client may think of', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.base64String(), fc.string({ minLength: 48, maxLength: 48 })),
        (value) => {
          expect(tokens.verify(value)).toBeUndefined();
        },
      ),
      RUN,
    );
  });

  it('refuse another version, even signed with the right key', () => {
    // The signature is made here as documented, independently of the code.
    const signKey = createHmac('sha256', NEW).update('evenkeel affinity 1 signature').digest();
    const bytes = Buffer.from(tokens.sign('a', 1), 'base64url');
    const signed = (version: number): string => {
      bytes[0] = version;
      const hmac = createHmac('sha256', signKey);
      const signature = hmac.update('users\0route\0').update(bytes.subarray(0, 18)).digest();
      bytes.set(signature.subarray(0, 18), 18);
      return bytes.toString('base64url');
    };
    expect(tokens.verify(signed(1))).toBeDefined();
    expect(tokens.verify(signed(2))).toBeUndefined();
  });

  it('change secrets without forgetting anybody: the first signs, all verify', () => {
    const before = new AffinityTokens([OLD], SCOPE);
    const during = new AffinityTokens([NEW, OLD], SCOPE);
    const after = new AffinityTokens([NEW], SCOPE);
    const old = before.sign('a', 1);
    expect(during.verify(old)).toEqual({
      endpointName: during.endpointName('a', 1),
      expiresAtS: 1,
      secretIndex: 1,
    });
    expect(after.verify(old)).toBeUndefined();
    expect(after.verify(during.sign('a', 1))?.secretIndex).toBe(0);
    expect(before.verify(during.sign('a', 1))).toBeUndefined();
  });

  it.each([
    { cluster: 'orders', cookie: 'route' },
    { cluster: 'users', cookie: 'other' },
    { cluster: 'user', cookie: 'sroute' },
  ])('are worth nothing to %j, nor do names tell anything there', (scope) => {
    const others = new AffinityTokens([NEW], scope);
    expect(others.verify(tokens.sign('a', 1))).toBeUndefined();
    expect(others.endpointName('a', 0)).not.toBe(tokens.endpointName('a', 0));
  });

  it('are the same in every process that has the secret, given as text or as bytes', () => {
    const bytes = new AffinityTokens([Buffer.from(NEW)], SCOPE);
    expect(bytes.sign('10.0.0.1:80', 1_900_000_000)).toBe(
      tokens.sign('10.0.0.1:80', 1_900_000_000),
    );
  });

  it('do not contain the address, and name each endpoint differently', () => {
    const names = new Set(
      Array.from({ length: 10_000 }, (_, index) =>
        tokens.endpointName(`10.0.${index >> 8}.${index & 255}:80`, 0),
      ),
    );
    expect(names.size).toBe(10_000);
    const raw = Buffer.from(tokens.sign('10.0.0.1:80', 1), 'base64url').toString('latin1');
    expect(raw).not.toContain('10.0.0.1');
  });

  it('know how many secrets there are', () => {
    expect(() => tokens.endpointName('a', 1)).toThrow(RangeError);
  });
});
