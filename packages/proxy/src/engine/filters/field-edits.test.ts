import { describe, expect, it } from 'vitest';
import { FieldEdits, linesOf } from './field-edits.ts';

describe('edits of fields', () => {
  it('are seen by whoever reads, whatever the case of the name', () => {
    const edits = new FieldEdits('request');
    expect(edits.read('x-a', 'old')).toBe('old');
    edits.append('X-A', 'new');
    expect(edits.read('x-a', 'old')).toBe('old, new');
    expect(edits.read('x-a', undefined)).toBe('new');
    edits.set('x-a', 'only');
    edits.append('x-a', 'two');
    expect(edits.read('x-a', 'old')).toBe('only, two');
    edits.remove('x-A');
    expect(edits.read('x-a', 'old')).toBeUndefined();
    expect([edits.replaces('x-a'), edits.replaces('x-b'), edits.isEmpty]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('join cookies as cookies are joined', () => {
    const edits = new FieldEdits('request');
    edits.append('cookie', 'b=2');
    expect(edits.read('cookie', 'a=1')).toBe('a=1; b=2');
  });

  it.each(['Connection', 'content-length', 'keep-alive', 'te', 'transfer-encoding', 'upgrade'])(
    'never touch %s, which frames the message or belongs to the connection',
    (name) => {
      for (const message of ['request', 'response'] as const) {
        const edits = new FieldEdits(message);
        expect(() => edits.set(name, 'x')).toThrow(TypeError);
        expect(() => edits.append(name, 'x')).toThrow(TypeError);
        expect(() => edits.remove(name)).toThrow(TypeError);
        expect(edits.isEmpty).toBe(true);
      }
    },
  );

  it.each(['', 'a b', 'a:', 'ä', 'a\r\n', 'x'.repeat(257)])('refuse the name %j', (name) => {
    expect(() => new FieldEdits('response').set(name, 'x')).toThrow('not a header name');
  });

  it.each(['a\r\nb: c', 'a\nb', 'a\0', '\u0100', '\x7f'])('refuse the value %j', (value) => {
    expect(() => new FieldEdits('response').append('x-a', value)).toThrow('not a value');
  });

  it('leave a request with one host, and a good one', () => {
    const edits = new FieldEdits('request');
    edits.set('host', '[2001:db8::1]:80');
    expect(edits.read('host', 'a')).toBe('[2001:db8::1]:80');
    expect(() => edits.append('host', 'b')).toThrow(TypeError);
    expect(() => edits.remove('host')).toThrow(TypeError);
    for (const value of ['', 'a b', 'a/b', 'user@a'])
      expect(() => edits.set('host', value)).toThrow('not a host');
    // In a response it is a field like any other.
    expect(() => new FieldEdits('response').remove('host')).not.toThrow();
  });
});

describe('lines of an answer', () => {
  it('are what they say, or nothing', () => {
    expect(linesOf({ 'X-A': '1', 'x-b': '' })).toBe('X-A: 1\r\nx-b: \r\n');
    expect(() => linesOf({ 'content-length': '1' })).toThrow(TypeError);
    expect(() => linesOf({ 'x-a': '1\r\n\r\nGET' })).toThrow(TypeError);
  });
});
