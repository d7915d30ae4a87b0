import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hashPassword, isPassword, parsePasswordHash } from './password-hash.ts';

const SALT = Buffer.from('0123456789abcdef');
const plain = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');

describe('a password hash', () => {
  it('is right for its password only', async () => {
    const text = await hashPassword('correct horse ☺');
    expect(text).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$/);
    expect(text).not.toBe(await hashPassword('correct horse ☺'));
    const hash = parsePasswordHash(text)!;
    expect(await isPassword('correct horse ☺', hash)).toBe(true);
    expect(await isPassword('correct horse', hash)).toBe(false);
    expect(await isPassword('', hash)).toBe(false);
  });

  it('follows RFC 7914 section 12', async () => {
    // "pleaseletmein", "SodiumChloride", N = 16384, r = 8, p = 1; the first 64 bytes.
    const expected =
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887';
    const text = `$scrypt$ln=14,r=8,p=1$${plain(Buffer.from('SodiumChloride'))}$${plain(Buffer.from(expected, 'hex'))}`;
    expect(await isPassword('pleaseletmein', parsePasswordHash(text)!)).toBe(true);
  });

  it('may be SHA-256 of salt and password', async () => {
    const digest = createHash('sha256').update(SALT).update('token').digest();
    const hash = parsePasswordHash(`$sha256$${plain(SALT)}$${plain(digest)}`)!;
    expect(await isPassword('token', hash)).toBe(true);
    expect(await isPassword('tokem', hash)).toBe(false);
  });

  it.each([
    '',
    'secret',
    '{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=',
    '$2y$10$abcdefghijklmnopqrstuv',
    `$sha256$${plain(SALT)}$${plain(Buffer.alloc(20))}`,
    `$sha256$YQ$${plain(Buffer.alloc(32))}`,
    `$scrypt$ln=15,r=8,p=0$${plain(SALT)}$${plain(Buffer.alloc(32))}`,
    // 4 GiB of memory for each guess.
    `$scrypt$ln=22,r=8,p=1$${plain(SALT)}$${plain(Buffer.alloc(32))}`,
    `$scrypt$ln=15,r=8,p=1$${plain(SALT)}$${plain(Buffer.alloc(8))}`,
  ])('is not %j', (text) => {
    expect(parsePasswordHash(text)).toBeUndefined();
  });
});
