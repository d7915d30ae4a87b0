import { describe, expect, it } from 'vitest';
import { parsePrefix } from './prefix.ts';

describe('a prefix', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0/8', 8],
    ['0.0.0.0/0', '0.0.0.0/0', 0],
    ['192.0.2.7', '192.0.2.7/32', 32],
    ['192.0.2.6/31', '192.0.2.6/31', 31],
    ['2001:DB8::/32', '2001:db8::/32', 32],
    ['::/0', '::/0', 0],
    ['100::', '100::/128', 128],
    ['100::8000/113', '100::8000/113', 113],
  ])('%s', (text, canonical, bits) => {
    expect(parsePrefix(text, 'deny')).toMatchObject({ text: canonical, bits });
  });

  it.each(['', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0/8', '::/129'])(
    'is not %j',
    (text) => {
      expect(() => parsePrefix(text, 'deny[0]')).toThrow('deny[0]: expected');
    },
  );

  it.each(['10.0.0.1/8', '192.0.2.7/31', '2001:db8::1/64', '128.0.0.0/0'])(
    'has nothing behind its length, as %s does',
    (text) => {
      expect(() => parsePrefix(text, 'deny[0]')).toThrow('are zero');
    },
  );
});
