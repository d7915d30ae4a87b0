import { describe, expect, it } from 'vitest';
import { completeConnection, isNodePath } from './connection-config.ts';

describe('completeConnection', () => {
  it('reads servers and chroot from a text, or from a list', () => {
    const expected = [
      { host: 'a', port: 2181 },
      { host: '10.0.0.1', port: 2182 },
      { host: '::1', port: 2183 },
    ];
    const text = completeConnection({ servers: 'a,10.0.0.1:2182,[::1]:2183/apps/x' });
    expect(text).toMatchObject({ servers: expected, chroot: '/apps/x' });
    expect(text.address).toBe('a:2181,10.0.0.1:2182,[::1]:2183/apps/x');
    const list = completeConnection({
      servers: ['a', '10.0.0.1:2182', '[::1]:2183'],
      chroot: '/apps/x',
    });
    expect(list).toEqual(text);
    expect(completeConnection({ servers: 'a/' }).chroot).toBe('');
  });

  it('keeps a password out of what is shown', () => {
    const config = completeConnection({
      servers: 'a',
      auth: { username: 'me', password: 'very-secret' },
    });
    expect(config.digest).toBe('me:very-secret');
    expect(config.address).not.toContain('secret');
  });
});

describe('isNodePath', () => {
  it.each(['/a', '/a/b-c_d.e', '/a/...', '/services/10.0.0.1:80'])('takes %s', (path) => {
    expect(isNodePath(path)).toBe(true);
  });
  it.each(['', '/', 'a', '/a/', '/a//b', '/a/./b', '/..', '/a\u0000', '/a\ud800'])(
    'refuses %j',
    (path) => {
      expect(isNodePath(path)).toBe(false);
    },
  );
});
