import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import {
  hasFailed,
  isReplayable,
  isUntouched,
  type RequestBody,
  watchBody,
} from './request-body.ts';

const body = (value: unknown): RequestBody => value as RequestBody;

describe('isReplayable', () => {
  it.each([
    ['null', null, true],
    ['undefined', undefined, true],
    ['a string', 'x', true],
    ['an empty string', '', true],
    ['a Buffer', Buffer.from('x'), true],
    ['a typed array', new Uint16Array(2), true],
    ['a DataView', new DataView(new ArrayBuffer(1)), true],
    ['an ArrayBuffer', new ArrayBuffer(1), true],
    ['a Blob', new Blob(['x']), true],
    ['a stream', Readable.from(['x']), false],
    ['an iterable', ['x'], false],
    ['form data', new FormData(), false],
  ])('%s: %s', (_name, value, expected) => {
    expect(isReplayable(body(value))).toBe(expected);
  });
});

describe('isUntouched', () => {
  it('is true of a stream that nobody has read', () => {
    expect(isUntouched(body(Readable.from(['x'])))).toBe(true);
  });

  it('is false once data was read', () => {
    const stream = Readable.from(['x']);
    stream.push('y');
    stream.read();
    expect(isUntouched(body(stream))).toBe(false);
  });

  it('is false of a destroyed stream', () => {
    const stream = Readable.from(['x']);
    stream.destroy();
    expect(isUntouched(body(stream))).toBe(false);
  });

  it('is false of a web stream with a reader', () => {
    const stream = new ReadableStream();
    expect(isUntouched(body(stream))).toBe(true);
    stream.getReader();
    expect(isUntouched(body(stream))).toBe(false);
  });

  it('is true of a generator: only its owner could have begun it', () => {
    expect(isUntouched(body((async function* () {})()))).toBe(true);
  });
});

describe('hasFailed', () => {
  it('is true of a stream that was destroyed, with or without an error', async () => {
    const stream = Readable.from(['x']);
    expect(hasFailed(body(stream))).toBe(false);
    const failed = new Promise((resolve) => stream.once('error', resolve));
    stream.destroy(new Error('disk'));
    await failed;
    expect(hasFailed(body(stream))).toBe(true);
  });

  it('is false of everything that is no stream', () => {
    for (const value of [null, 'x', Buffer.from('x'), ['x']])
      expect(hasFailed(body(value))).toBe(false);
  });
});

describe('watchBody', () => {
  it('hears of an error while watching, and leaves no listener behind', async () => {
    const stream = Readable.from(['x']);
    const errors: Error[] = [];
    const unwatch = watchBody(body(stream), (error) => errors.push(error));
    expect(stream.listenerCount('error')).toBe(1);
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.destroy(new Error('disk'));
    await closed;
    expect(errors.map((error) => error.message)).toEqual(['disk']);
    unwatch();
    expect(stream.listenerCount('error')).toBe(0);
  });

  it('does nothing for other bodies', () => {
    expect(() => watchBody(body('x'), () => undefined)()).not.toThrow();
  });
});
