import { describe, expect, it } from 'vitest';
import { ClientHelloReader, MAX_HELLO_BYTES, MAX_HELLO_WIRE_BYTES } from './client-hello.ts';
import { helloMessage, records, serverNames, vector } from './test-support/client-hello-bytes.ts';

function read(bytes: Buffer): { verdict: string; name: string | undefined } {
  const reader = new ClientHelloReader();
  const verdict = reader.push(bytes);
  return { verdict, name: reader.serverName };
}

/** With the bytes from `at` on replaced. */
function patched(bytes: Buffer, at: number, ...values: readonly number[]): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(values, at);
  return copy;
}

const good = records(helloMessage({ name: 'a.example' }));

describe('the first message of a TLS client', () => {
  it.each([
    ['a name', helloMessage({ name: 'a.example' }), 'a.example'],
    ['a name in capitals', helloMessage({ name: 'A.Example' }), 'a.example'],
    ['no name', helloMessage(), undefined],
    ['no extensions', helloMessage({ bare: true }), undefined],
    ['no session', helloMessage({ name: 'b', sessionBytes: 0 }), 'b'],
    [
      'unknown extensions around',
      helloMessage({ name: 'c', extensions: [[0x2a2a, Buffer.alloc(900)]] }),
      'c',
    ],
  ])('with %s is understood', (_, message, name) => {
    expect(read(records(message))).toEqual({ verdict: 'complete', name });
  });

  it('may come in any number of records', () => {
    const message = helloMessage({ name: 'a.example' });
    for (const size of [1, 2, 3, 4, 5, 50])
      expect(read(records(message, Array(Math.floor(message.length / size)).fill(size)))).toEqual({
        verdict: 'complete',
        name: 'a.example',
      });
  });

  it('is handed on as it came, with what came behind it', () => {
    const reader = new ClientHelloReader();
    const bytes = Buffer.concat([good, Buffer.from('early data')]);
    reader.push(bytes.subarray(0, 9));
    expect(reader.push(bytes.subarray(9))).toBe('complete');
    expect(reader.bytes.equals(bytes)).toBe(true);
  });

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['SSH', Buffer.from('S')],
    ['an SSL 2 hello', Buffer.from([0x80, 0x2e, 1, 3, 1])],
    ['a handshake of version 2', Buffer.from([22, 2])],
    ['an alert', Buffer.from([21, 3, 3, 0, 2, 2, 0])],
  ])('is not %s', (_, bytes) => {
    expect(read(bytes).verdict).toBe('not-tls');
  });

  it.each([
    ['an empty fragment', Buffer.from([22, 3, 1, 0, 0])],
    ['a fragment beyond 2^14 bytes', Buffer.from([22, 3, 1, 0x40, 1])],
    ['another message', patched(good, 5, 2)],
    [
      'another type of record in between',
      Buffer.concat([records(helloMessage().subarray(0, 9)), Buffer.from([23])]),
    ],
    [
      'another version in between',
      Buffer.concat([records(helloMessage().subarray(0, 9)), Buffer.from([22, 4])]),
    ],
    [
      'a message beyond the limit',
      Buffer.concat([Buffer.from([22, 3, 1, 0, 4, 1]), Buffer.from([0, MAX_HELLO_BYTES >> 8, 0])]),
    ],
    ['a session identifier of 33 bytes', records(helloMessage({ sessionBytes: 33 }))],
    ['an odd number of bytes of cipher suites', patched(good, 5 + 4 + 34 + 33, 0, 3)],
    ['no cipher suites', patched(good, 5 + 4 + 34 + 33, 0, 0)],
    ['extensions that are too long', patched(good, 5 + 4 + 34 + 33 + 6 + 2, 0xff, 0xff)],
    ['extensions that end too early', patched(good, 5 + 4 + 34 + 33 + 6 + 2, 0, 1)],
    [
      'two lists of names',
      records(helloMessage({ name: 'a', extensions: [[0, serverNames('b')]] })),
    ],
    ['two names', records(helloMessage({ extensions: [[0, serverNames('a', 'b')]] }))],
    ['an empty list of names', records(helloMessage({ extensions: [[0, vector(2)]] }))],
    ['an empty name', records(helloMessage({ name: '' }))],
    ['a name with a dot at its end', records(helloMessage({ name: 'a.' }))],
    ['a name with NUL', records(helloMessage({ name: 'a\0.example' }))],
    [
      'a name with bytes beyond ASCII',
      records(helloMessage({ name: Buffer.from('b\xfccher', 'latin1') })),
    ],
    ['a name of 254 characters', records(helloMessage({ name: 'a'.repeat(254) }))],
  ])('is refused with %s', (_, bytes) => {
    expect(read(bytes)).toEqual({ verdict: 'malformed', name: undefined });
  });

  it('is bounded on the wire, however small its fragments', () => {
    const reader = new ClientHelloReader();
    const message = Buffer.concat([Buffer.from([1, 0, 0x3f, 0x00]), Buffer.alloc(16_128)]);
    const wire = records(message, Array(message.length).fill(1));
    let verdict = 'incomplete';
    let pushed = 0;
    for (; verdict === 'incomplete' && pushed < wire.length; pushed += 1_000)
      verdict = reader.push(wire.subarray(pushed, pushed + 1_000));
    expect(verdict).toBe('malformed');
    expect(pushed).toBeLessThanOrEqual(MAX_HELLO_WIRE_BYTES + 1_000);
  });
});
