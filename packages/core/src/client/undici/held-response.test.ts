import { describe, expect, it } from 'vitest';
import { Caller } from './caller.ts';
import { HeldResponse, isHoldable } from './held-response.ts';

const chunk = (text: string): Buffer => Buffer.from(text);

function callerThat(onData: (text: string, caller: Caller) => void): Caller {
  const steered = { onPause: () => undefined, onResume: () => undefined, onAbort: () => undefined };
  const caller: Caller = new Caller(
    { onResponseData: (_controller, data) => onData(String(data), caller) },
    steered,
  );
  return caller;
}

describe('a response that is held back', () => {
  it('says when it is more than may be held', () => {
    const held = new HeldResponse(5);
    expect([held.push(chunk('abc')), held.push(chunk('de')), held.push(chunk('f'))]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('hands over everything, in order', () => {
    const seen: string[] = [];
    const held = new HeldResponse(10);
    for (const text of ['a', 'b', 'c']) held.push(chunk(text));
    expect(held.drain(callerThat((text) => seen.push(text)))).toBe(true);
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('stops while the caller has paused, and goes on from there', () => {
    const seen: string[] = [];
    const held = new HeldResponse(10);
    for (const text of ['a', 'b', 'c']) held.push(chunk(text));
    const caller = callerThat((text, self) => {
      seen.push(text);
      if (text === 'b') self.pause();
    });
    expect(held.drain(caller)).toBe(false);
    expect(seen).toEqual(['a', 'b']);
    caller.resume();
    expect(held.drain(caller)).toBe(true);
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('does not hand over twice to a caller that asks for more within its own callback', () => {
    const seen: string[] = [];
    const held = new HeldResponse(10);
    for (const text of ['a', 'b', 'c']) held.push(chunk(text));
    const caller = callerThat((text, self) => {
      seen.push(text);
      expect(held.drain(self)).toBe(false);
    });
    expect(held.drain(caller)).toBe(true);
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('is over when it was dropped, also within a callback', () => {
    const seen: string[] = [];
    const held = new HeldResponse(10);
    for (const text of ['a', 'b']) held.push(chunk(text));
    held.drain(
      callerThat((text) => {
        seen.push(text);
        held.drop();
      }),
    );
    expect(seen).toEqual(['a']);
  });
});

describe('what is held back', () => {
  it.each([
    [{}, true],
    [{ 'content-length': '100' }, true],
    [{ 'content-length': '101' }, false],
    [{ 'content-type': 'application/json' }, true],
    [{ 'content-type': 'text/event-stream; charset=utf-8' }, false],
    [{ 'content-type': 'application/grpc' }, false],
  ])('%j: %s', (headers, holdable) => {
    expect(isHoldable(headers, 100)).toBe(holdable);
  });
});
