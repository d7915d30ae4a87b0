import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Md5 } from './md5.ts';
import { anyUtf16 } from './test-support/cases.ts';

function words(text: string): number[] {
  const digest = createHash('md5').update(text).digest();
  return [0, 4, 8, 12].map((at) => digest.readInt32LE(at));
}

describe('Md5', () => {
  // RFC 1321, appendix A.5.
  it.each([
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
  ])('of %j is that of the RFC', (text, hex) => {
    const md5 = new Md5();
    md5.hashString(text);
    expect(Buffer.from(md5.digest.buffer).toString('hex')).toBe(hex);
  });

  it('agrees with OpenSSL at every length around the padding', () => {
    const md5 = new Md5();
    for (let length = 0; length <= 200; length++) {
      md5.hashString('x'.repeat(length));
      expect([...md5.digest]).toEqual(words('x'.repeat(length)));
    }
  });

  it('agrees with OpenSSL on any string', () => {
    const md5 = new Md5();
    const equal = fc.property(anyUtf16, (text) => {
      md5.hashString(text);
      expect([...md5.digest]).toEqual(words(text));
    });
    fc.assert(equal, { seed: 1, numRuns: 500 });
  });
});
