import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakeRequest } from '../test-support/fake-request.ts';
import { fakeResponse } from '../test-support/fake-response.ts';
import { fieldText, nameText } from './field-text.ts';
import { Template } from './template.ts';

const request = fakeRequest(
  'PUT /a/b?c=d%0d%0aevil&u=%e2%82%ac HTTP/1.1\nhost: example.com:8443\nx-team: blue\ncookie: s=1; t=2',
  {
    peer: '192.0.2.9',
    clientAddress: '2001:db8::1',
    id: 'r-1',
    certificate: { subject: 'jo', names: [], fingerprint: 'ab12' },
  },
);

describe('a template', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['%{client.address} via %{peer.address}', '2001:db8::1 via 192.0.2.9'],
    ['%{request.id}/%{route}', 'r-1/api'],
    ['%{scheme}://%{host}%{path}', 'https://example.com:8443/a/b'],
    ['%{method}', 'PUT'],
    ['%{header.X-Team}', 'blue'],
    ['%{header.missing}', ''],
    ['%{cookie.t}', '2'],
    ['%{certificate.subject}:%{certificate.fingerprint}', 'jo:ab12'],
    ['%%{method}', '%{method}'],
    ['100%', '100%'],
    ['%{response.status}', ''],
    // What was decoded must not end a line.
    ['%{query.c}', 'd%0D%0Aevil'],
    ['%{query.u}', '%E2%82%AC'],
  ])('%s', (text, expected) => {
    expect(new Template(text).text(request)).toBe(expected);
  });

  it('knows the response, where there is one', () => {
    expect(new Template('%{response.status}').text(request, fakeResponse(404))).toBe('404');
  });

  it.each([
    '%{}',
    '%{unknown}',
    '%{header.}',
    '%{query}',
    '%{constructor}',
    '%{.x}',
    '%{env.HOME}',
  ])('refuses %s', (text) => {
    expect(() => new Template(text)).toThrow(RangeError);
  });
});

describe('fieldText', () => {
  it('is fit for a field, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(fieldText(text)).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/);
      }),
      { seed: 20_234 },
    );
    expect(fieldText('\ud800')).toBe('%EF%BF%BD');
  });
});

describe('nameText', () => {
  it('makes no two names look alike', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const text = nameText(name);
        expect(text).toMatch(/^[\x20-\x7e]*$/);
        expect(text.trim()).toBe(text);
        expect(decodeURIComponent(text)).toBe(name);
      }),
      { seed: 20_240 },
    );
    expect(nameText('jo%40')).not.toBe(nameText('jo@'));
  });
});
