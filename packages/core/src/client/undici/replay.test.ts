import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import { isRepeatable } from './replay.ts';

const request = (
  method: string,
  parts: Partial<Dispatcher.DispatchOptions> = {},
): Dispatcher.DispatchOptions => ({
  path: '/',
  method,
  ...parts,
});

describe('isRepeatable', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE', 'QUERY'])('%s is', (method) => {
    expect(isRepeatable(request(method))).toBe(true);
  });

  it.each(['POST', 'PATCH', 'CONNECT', 'get', 'PROPFIND'])('%s is not', (method) => {
    expect(isRepeatable(request(method))).toBe(false);
  });

  it('needs a body that can be sent again', () => {
    expect(isRepeatable(request('PUT', { body: 'x' }))).toBe(true);
    expect(isRepeatable(request('PUT', { body: Readable.from(['x']) }))).toBe(false);
  });

  it('believes the caller who says so, or denies it', () => {
    expect(isRepeatable(request('POST', { idempotent: true }))).toBe(true);
    expect(isRepeatable(request('GET', { idempotent: false }))).toBe(false);
  });

  it('is false of an upgrade', () => {
    expect(isRepeatable(request('GET', { upgrade: 'websocket' }))).toBe(false);
    expect(isRepeatable(request('GET', { upgrade: null }))).toBe(true);
  });
});
