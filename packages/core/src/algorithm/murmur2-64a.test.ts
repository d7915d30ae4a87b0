import { describe, expect, it } from 'vitest';
import { MurmurHash2, murmurHash2 } from './murmur2-64a.ts';
import { toBigInt } from './uint64.ts';

describe('MurmurHash2-64A', () => {
  // Positions that Envoy's ring hash test states for its MURMUR_HASH_2 ring.
  it.each([
    ['127.0.0.1:85_0', 1_358_027_074_129_602_068n],
    ['127.0.0.1:83_1', 4_361_834_613_929_391_114n],
    ['127.0.0.1:81_1', 7_701_421_856_454_313_576n],
    ['127.0.0.1:82_0', 10_150_910_876_324_007_731n],
    ['127.0.0.1:80_0', 17_613_279_263_364_193_813n],
  ])('puts %s where Envoy does', (name, position) => {
    expect(murmurHash2(name)).toBe(position);
    expect(murmurHash2(Buffer.from(name))).toBe(position);
  });

  it('takes another seed', () => {
    expect(murmurHash2('', 0)).toBe(0n);
    expect(murmurHash2('a', 1)).not.toBe(murmurHash2('a', 2));
  });

  it('hashes keys beyond the kept buffer', () => {
    const hasher = new MurmurHash2();
    const text = 'é'.repeat(80_000);
    hasher.hashString(text);
    const ofString = toBigInt(hasher);
    hasher.hashBytes(Buffer.from(text));
    expect(toBigInt(hasher)).toBe(ofString);
  });
});
