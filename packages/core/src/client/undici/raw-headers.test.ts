import { describe, expect, it } from 'vitest';
import { rawHeaderList } from './raw-headers.ts';

const texts = (list: readonly Buffer[]): string[] => list.map((part) => part.toString('latin1'));

describe('rawHeaderList', () => {
  it('hands on the buffers of HTTP/1.1 as they are', () => {
    const raw = [Buffer.from('A'), Buffer.from('1')];
    expect(rawHeaderList(raw, {})).toBe(raw);
  });

  it('turns strings into latin1 bytes', () => {
    expect(rawHeaderList(['x', 'caf\u00e9'], {})).toEqual([
      Buffer.from('x'),
      Buffer.from([0x63, 0x61, 0x66, 0xe9]),
    ]);
  });

  it('turns the object of HTTP/2 into a list, repeats values, leaves pseudo headers out', () => {
    const raw = { ':status': '200', 'set-cookie': ['a=1', 'b=2'], age: '3' };
    expect(texts(rawHeaderList(raw, {}))).toEqual([
      'set-cookie',
      'a=1',
      'set-cookie',
      'b=2',
      'age',
      '3',
    ]);
  });

  it('falls back to the parsed headers when nothing raw is there', () => {
    expect(texts(rawHeaderList(null, { vary: 'x', gone: undefined }))).toEqual(['vary', 'x']);
    expect(texts(rawHeaderList(undefined, { vary: 'y' }))).toEqual(['vary', 'y']);
  });
});
