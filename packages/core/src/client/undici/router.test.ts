import { describe, expect, it } from 'vitest';
import { isEvenkeelError } from '../../error/evenkeel-error.ts';
import type { Route } from './route.ts';
import { Router } from './router.ts';

const route = (name: string): Route => ({ name }) as Route;

describe('Router', () => {
  const users = route('users');
  const admin = route('admin');
  const secure = route('secure');

  const router = new Router();
  router.add('Users', users);
  router.add('users:9000', admin);
  router.add('users:443', secure);
  router.add('[::1]', admin);

  it.each([
    ['http://users', users],
    ['http://USERS', users],
    ['https://users:8443', users],
    ['http://users:80', users],
    ['http://users:9000', admin],
    ['https://users:9000', admin],
    ['https://users', secure],
    ['http://users:443', secure],
    ['http://[0:0::1]:5', admin],
    ['http://other', undefined],
    ['http://users.internal', undefined],
    ['ws://users', undefined],
    ['users', undefined],
    ['', undefined],
  ])('%s', (origin, expected) => {
    expect(router.find(origin)).toBe(expected);
    expect(router.find(origin)).toBe(expected);
  });

  it.each(['', 'a b', 'a/b', 'http://users', '1234', 'users:99999', 'user@users', 'users?x'])(
    'refuses %j as a host name',
    (host) => {
      expect(() => new Router().add(host, users)).toThrow(
        /createDispatcher.clusters \(users\): expected a name/,
      );
    },
  );

  it('refuses a host name that is taken', () => {
    const taken = new Router();
    taken.add('users', users);
    expect(() => taken.add('USERS', admin)).toThrow('expected host names that differ, got "USERS"');
  });

  it('makes an error that names what it knows, and no secrets', () => {
    const error = router.unknown('http://me:secret@other:1/');
    expect(isEvenkeelError(error, 'EVENKEEL_UNKNOWN_CLUSTER')).toBe(true);
    expect(error.message).toBe(
      "http://other:1 names none of this dispatcher's clusters ('users', 'users:9000', 'users:443', '[::1]')",
    );
    expect(new Router().unknown('?').message).toBe(
      '"?" names none of this dispatcher\'s clusters (it has none)',
    );
  });

  it('remembers a bounded number of origins', () => {
    const many = new Router();
    many.add('users', users);
    for (let port = 1; port < 5_000; port++) expect(many.find(`http://users:${port}`)).toBe(users);
  });
});
