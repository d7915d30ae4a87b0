import { describe, expect, it } from 'vitest';
import { isForbiddenTrailer } from './trailer-rules.ts';

describe('a trailer', () => {
  it.each(['grpc-status', 'grpc-message', 'content-md5', 'digest', 'x-checksum', 'server-timing'])(
    '%s may pass',
    (name) => {
      expect(isForbiddenTrailer(name)).toBe(false);
    },
  );

  it.each([
    'Content-Encoding',
    'content_type',
    'X-Forwarded-For',
    'x_forwarded_host',
    'x-forwarded-port',
    'Authorization',
    'Set-Cookie',
    'If-None-Match',
    'Via',
  ])('%s may not', (name) => {
    expect(isForbiddenTrailer(name)).toBe(true);
  });
});
