import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import {
  type Controller,
  type Handler,
  isHandler,
  type LegacyHandler,
  normaliseHandler,
} from './handler.ts';

class TestController implements Controller {
  aborted = false;
  paused = false;
  reason: Error | null = null;
  rawHeaders: Buffer[] = [Buffer.from('X-A'), Buffer.from('1')];
  rawTrailers: Buffer[] = [Buffer.from('x-t'), Buffer.from('2')];

  abort(reason: Error): void {
    this.aborted = true;
    this.reason = reason;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

const socket = {} as Duplex;
const texts = (list: readonly Buffer[]): string[] => list.map(String);

describe('normaliseHandler', () => {
  it('leaves a handler of the new shape alone, even when it carries legacy callbacks too', () => {
    const handler: Handler & LegacyHandler = {
      onRequestStart: () => undefined,
      onConnect: () => undefined,
    };
    expect(normaliseHandler(handler)).toBe(handler);
  });

  it('gives onConnect an abort that reaches the controller', () => {
    const controller = new TestController();
    const reason = new Error('stop');
    normaliseHandler({ onConnect: (abort) => abort(reason) }).onRequestStart?.(controller, null);
    expect(controller.reason).toBe(reason);
  });

  it('passes raw headers, status text and a resume that works', () => {
    const controller = new TestController();
    let seen: unknown[] = [];
    const handler = normaliseHandler({
      onHeaders: (status, raw, resume, statusText) => {
        seen = [status, texts(raw), statusText];
        controller.pause();
        resume();
        return true;
      },
    });
    handler.onResponseStart?.(controller, 200, { 'x-a': '1' }, 'OK');
    expect(seen).toEqual([200, ['X-A', '1'], 'OK']);
    expect(controller.paused).toBe(false);
  });

  it('pauses when onHeaders or onData answer false', () => {
    const controller = new TestController();
    const handler = normaliseHandler({ onHeaders: () => false, onData: () => false });
    handler.onResponseStart?.(controller, 200, {}, '');
    expect(controller.paused).toBe(true);
    controller.resume();
    handler.onResponseData?.(controller, Buffer.from('x'));
    expect(controller.paused).toBe(true);
  });

  it('does not pause for an informational response: fetch of undici 7 answers false to all of them', () => {
    const controller = new TestController();
    normaliseHandler({ onHeaders: () => false }).onResponseStart?.(controller, 103, {}, '');
    expect(controller.paused).toBe(false);
  });

  it('goes on when onData answers nothing', () => {
    const controller = new TestController();
    normaliseHandler({ onData: () => undefined }).onResponseData?.(controller, Buffer.from('x'));
    expect(controller.paused).toBe(false);
  });

  it('passes raw trailers to onComplete and errors to onError', () => {
    const seen: unknown[] = [];
    const handler = normaliseHandler({
      onComplete: (raw) => void seen.push(texts(raw)),
      onError: (error) => void seen.push(error.message),
    });
    const controller = new TestController();
    handler.onResponseEnd?.(controller, {});
    handler.onResponseError?.(controller, new Error('broken'));
    expect(seen).toEqual([['x-t', '2'], 'broken']);
  });

  it('throws an error that nobody takes, as undici does', () => {
    expect(() =>
      normaliseHandler({}).onResponseError?.(new TestController(), new Error('lost')),
    ).toThrow('lost');
  });

  it('prefers onUpgrade, and takes the onRequestUpgrade of undici 7 when it is the only one', () => {
    const seen: unknown[] = [];
    const onRequestUpgrade: LegacyHandler['onRequestUpgrade'] = (
      _controller,
      status,
      headers,
      given,
    ) => void seen.push(['new', status, headers, given === socket]);
    const onUpgrade: LegacyHandler['onUpgrade'] = (status, raw, given) =>
      void seen.push(['old', status, texts(raw), given === socket]);
    const both = normaliseHandler({ onConnect: () => undefined, onUpgrade, onRequestUpgrade });
    both.onRequestUpgrade?.(new TestController(), 101, { a: 'b' }, socket);
    const one = normaliseHandler({ onConnect: () => undefined, onRequestUpgrade });
    one.onRequestUpgrade?.(new TestController(), 101, { a: 'b' }, socket);
    expect(seen).toEqual([
      ['old', 101, ['X-A', '1'], true],
      ['new', 101, { a: 'b' }, true],
    ]);
  });

  it('passes what happens to the request body', () => {
    const seen: string[] = [];
    const handler = normaliseHandler({
      onBodySent: (chunk) => void seen.push(`sent ${String(chunk)}`),
      onRequestSent: () => void seen.push('all sent'),
      onResponseStarted: () => void seen.push('answered'),
    });
    handler.onBodySent?.(Buffer.from('x'));
    handler.onRequestSent?.();
    handler.onResponseStarted?.();
    expect(seen).toEqual(['sent x', 'all sent', 'answered']);
  });
});

describe('isHandler', () => {
  it.each([
    [{}, true],
    [null, false],
    [undefined, false],
    ['x', false],
    [() => undefined, false],
  ])('%o: %s', (value, expected) => {
    expect(isHandler(value)).toBe(expected);
  });
});
