import { describe, expect, it } from 'vitest';
import { dnsNamesOf } from './certificate-names.ts';
import { ServerNameIndex } from './server-name-index.ts';

describe('the names of a certificate', () => {
  it.each([
    ['', []],
    ['DNS:a.example', ['a.example']],
    ['DNS:A.Example, IP Address:192.0.2.1, DNS:*.b.example', ['a.example', '*.b.example']],
    ['DNS:a, DNS:a', ['a']],
    // Quoted by Node because of what is in it: none of it may become an entry of its own.
    ['DNS:"x, DNS:evil.example", DNS:good.example', ['good.example']],
    ['URI:"http://a/, DNS:evil.example"', []],
    ['DNS:"a\\", DNS:evil.example", DNS:b.example', ['b.example']],
    // A star elsewhere than as the whole first label is no wildcard.
    ['DNS:*, DNS:a*.example, DNS:a.*.example, DNS:**.example', []],
    ['DNS:a b.example, DNS:.example, DNS:a..b', []],
  ])('%j', (text, names) => {
    expect(dnsNamesOf(text)).toEqual(names);
  });
});

describe('the choice by server name', () => {
  const index = new ServerNameIndex<string>();
  index.add('a.example', 'exact');
  index.add('*.example', 'wildcard');
  index.add('*.sub.example', 'deeper');
  index.add('a.example', 'late');

  it.each([
    ['a.example', 'exact'],
    ['A.EXAMPLE.', 'exact'],
    ['b.example', 'wildcard'],
    ['b.sub.example', 'deeper'],
    ['c.b.sub.example', undefined],
    ['example', undefined],
    ['.example', undefined],
    ['', undefined],
    ['.', undefined],
    ['*.example', 'wildcard'],
  ])('%j', (name, expected) => {
    expect(index.find(name)).toBe(expected);
  });
});
