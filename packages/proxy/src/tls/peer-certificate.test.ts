import { describe, expect, it } from 'vitest';
import { namesIn } from './peer-certificate.ts';

describe('names of a certificate', () => {
  it.each([
    ['', []],
    ['DNS:a.example', ['DNS:a.example']],
    [
      'DNS:a.example, IP Address:127.0.0.1, URI:spiffe://b/c',
      ['DNS:a.example', 'IP Address:127.0.0.1', 'URI:spiffe://b/c'],
    ],
    ['URI:"http://a/, DNS:b.example", DNS:c', ['URI:http://a/, DNS:b.example', 'DNS:c']],
    ['URI:"say \\"hi\\"", DNS:c', ['URI:say "hi"', 'DNS:c']],
  ])('%s', (text, names) => {
    expect(namesIn(text)).toEqual(names);
  });
});
