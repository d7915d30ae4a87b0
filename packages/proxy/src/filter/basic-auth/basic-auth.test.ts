import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Filter, FilterAnswer } from '../filter.ts';
import { fakeRequest } from '../test-support/fake-request.ts';
import { faultOf, makeFilter } from '../test-support/make-filter.ts';
import { credentialsOf } from './basic-auth.ts';
import { hashPassword, parsePasswordHash } from './password-hash.ts';
import type { BasicAuthOptions } from './schema.ts';
import { Verifier } from './verifier.ts';

const SALT = Buffer.from('0123456789abcdef');
const base64 = (text: string | Buffer): string => Buffer.from(text as string).toString('base64');

/** A quick hash. */
function sha256(password: string): string {
  const digest = createHash('sha256').update(SALT).update(password).digest();
  return `$sha256$${base64(SALT).replaceAll('=', '')}$${base64(digest).replaceAll('=', '')}`;
}

const basic = (credentials: string): string =>
  `GET / HTTP/1.1\nauthorization: Basic ${base64(credentials)}`;

async function ask(filter: Filter, head: string) {
  const request = fakeRequest(head);
  const answer = (await filter.onRequest?.(request)) as FilterAnswer | undefined;
  return { status: answer?.status, answer, headers: request.headers };
}

describe('basicAuth', () => {
  const users = [
    { name: 'jo', passwordHash: sha256('a:b') },
    { name: 'zoë', passwordHash: sha256('été') },
  ];
  let filter: Filter;
  beforeAll(async () => {
    filter = await makeFilter({ basicAuth: { users, realm: 'the lab', userHeader: 'X-User' } });
  });

  it('lets users in, and tells the endpoint who they are, without the password', async () => {
    const { status, headers } = await ask(filter, `${basic('jo:a:b')}\nx-user: admin`);
    expect(status).toBeUndefined();
    expect(headers.lines).toEqual([['x-user', 'jo']]);
    expect((await ask(filter, basic('zoë:été'))).headers.get('x-user')).toBe('zo%C3%AB');
  });

  it.each([
    ['nothing', 'GET / HTTP/1.1\nx-user: admin'],
    ['a wrong password', basic('jo:wrong')],
    ['the password of another user', basic('jo:été')],
    ['an unknown user', basic('nobody:a:b')],
    ['no colon', basic('jo')],
    ['an empty name', basic(':a:b')],
    ['another scheme', 'GET / HTTP/1.1\nauthorization: Bearer abc'],
    ['no base64', 'GET / HTTP/1.1\nauthorization: Basic ???'],
    ['base64 with rubbish behind it', `${basic('jo:a:b')} x`],
    ['two credentials', `${basic('jo:a:b')}\nauthorization: Basic ${base64('jo:a:b')}`],
    [
      'bytes that are not UTF-8',
      `GET / HTTP/1.1\nauthorization: Basic ${base64(Buffer.from([0x6a, 0xff, 0x3a, 0x61]))}`,
    ],
    ['a control character', basic('jo\0:a:b')],
    ['a header of 16 KiB', basic(`jo:${'x'.repeat(12_000)}`)],
  ])('asks again for %s', async (_, head) => {
    const { answer, headers } = await ask(filter, head);
    expect(answer).toEqual({
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="the lab", charset="UTF-8"' },
      reason: 'unauthorized',
    });
    expect(headers.get('x-user')).toBeUndefined();
  });

  it('keeps verdicts, so that the second request costs no hash', async () => {
    const slow = await makeFilter({
      basicAuth: {
        users: [{ name: 'jo', passwordHash: await hashPassword('pw') }],
        forwardCredentials: true,
      },
    });
    const first = slow.onRequest?.(fakeRequest(basic('jo:pw')));
    expect(first).toBeInstanceOf(Promise);
    expect(await first).toBeUndefined();
    const again = fakeRequest(basic('jo:pw'));
    expect(slow.onRequest?.(again)).toBeUndefined();
    expect(again.headers.get('authorization')).toContain('Basic');
    await slow.onRequest?.(fakeRequest(basic('jo:no')));
    expect(slow.onRequest?.(fakeRequest(basic('jo:no')))).toMatchObject({ status: 401 });
  });

  it('reads any header without an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const found = credentialsOf(`Basic ${base64(text)}`);
        if (found !== undefined)
          expect(`${found.name}:${found.password}`).toBe(text.toWellFormed());
        credentialsOf(text);
      }),
      { seed: 20_238 },
    );
  });

  it.each([
    [{ users: [] }, 'at least one user'],
    [{ users: [{ name: 'a:b', passwordHash: sha256('x') }] }, 'users[0].name'],
    [{ users: [users[0], users[0]] }, 'users with different names'],
    [{ users, realm: 'a"b' }, 'basicAuth.realm'],
  ])('refuses %j', async (options, message) => {
    expect(await faultOf({ basicAuth: options })).toContain(message);
  });

  it('never shows what stands where the hash should be', async () => {
    const options: BasicAuthOptions = { users: [{ name: 'jo', passwordHash: 'hunter2-hunter2' }] };
    const message = await faultOf({ basicAuth: options });
    expect(message).toContain('users[0].passwordHash: expected a hash');
    expect(message).not.toContain('hunter2');
  });
});

describe('a verifier', () => {
  it('works on few passwords at a time, and turns away what it could not get to in time', async () => {
    // 1 MiB of memory, about a millisecond.
    const text = `$scrypt$ln=10,r=8,p=1$${base64(SALT).replaceAll('=', '')}$${base64(Buffer.alloc(32)).replaceAll('=', '')}`;
    const verifier = new Verifier([{ name: 'jo', passwordHash: parsePasswordHash(text)! }]);
    const verdicts = Array.from({ length: 300 }, (_, at) => verifier.verify('jo', `guess-${at}`));
    const busy = verdicts.filter((verdict) => verdict === 'busy');
    // Two are worked on, 256 wait.
    expect(busy).toHaveLength(300 - 258);
    const others = await Promise.all(verdicts.filter((verdict) => typeof verdict !== 'string'));
    expect(new Set(others)).toEqual(new Set(['wrong']));
    expect(await verifier.verify('jo', 'another')).toBe('wrong');
  });

  it('asks once for the same password at the same time', async () => {
    const verifier = new Verifier([
      { name: 'jo', passwordHash: parsePasswordHash(await hashPassword('pw'))! },
    ]);
    const [one, two] = [verifier.verify('jo', 'pw'), verifier.verify('jo', 'pw')];
    expect(one).toBe(two);
    expect(await one).toBe('right');
  });
});
