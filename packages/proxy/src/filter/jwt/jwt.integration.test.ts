/** Tokens of a real issuer, whose keys change and who is away at times; and tokens that nobody should have made. */
import { createHmac } from 'node:crypto';
import { createManualRuntime, type ManualRuntime } from '@evenkeel/core/testing';
import { exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Filter, FilterAnswer } from '../filter.ts';
import { fakeRequest } from '../test-support/fake-request.ts';
import { Issuer, type IssuerKey, issuerKey, sign } from '../test-support/issuer.ts';
import { faultOf, makeFilter } from '../test-support/make-filter.ts';
import type { JwtOptions } from './schema.ts';

let key: IssuerKey;
let other: IssuerKey;
let rsa: IssuerKey;
beforeAll(async () => {
  [key, other, rsa] = await Promise.all([
    issuerKey('k1'),
    issuerKey('k2'),
    issuerKey('r1', 'RS256'),
  ]);
});

const open: { close?(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close?.();
});

async function issuerWith(...keys: IssuerKey[]): Promise<Issuer> {
  const issuer = await Issuer.start(keys);
  open.push(issuer);
  return issuer;
}

async function filterWith(options: Partial<JwtOptions>, runtime?: ManualRuntime): Promise<Filter> {
  const filter = await makeFilter(
    { jwt: { issuer: 'me', audience: 'api', ...options } as JwtOptions },
    { runtime: runtime ?? createManualRuntime() },
  );
  open.push(filter);
  return filter;
}

const inline = (...keys: IssuerKey[]): Partial<JwtOptions> => ({
  jwks: { keys: keys.map(({ publicJwk }) => publicJwk) },
});

async function ask(filter: Filter, token: string | undefined, more = '') {
  const head =
    token === undefined ? 'GET / HTTP/1.1' : `GET / HTTP/1.1\nauthorization: Bearer ${token}`;
  return askWith(filter, `${head}${more}`);
}

async function askWith(filter: Filter, head: string) {
  const request = fakeRequest(head);
  const answer = (await filter.onRequest?.(request)) as FilterAnswer | undefined;
  const challenge = answer?.headers?.['www-authenticate'];
  return { status: answer?.status, reason: answer?.reason, challenge, headers: request.headers };
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('jwt', () => {
  it('lets tokens in, and tells the endpoint of their claims and of nothing else', async () => {
    const filter = await filterWith({
      ...inline(key, rsa),
      claimsToHeaders: { 'X-User': 'sub', 'x-roles': 'realm.roles', 'x-none': 'none' },
      forwardToken: false,
    });
    for (const signer of [key, rsa]) {
      const token = await sign(signer, { sub: 'zoë\r\nevil', realm: { roles: ['a', 'b'] } });
      const { status, headers } = await ask(filter, token, '\nx-user: admin\nx-none: admin');
      expect(status).toBeUndefined();
      expect(headers.lines).toEqual([
        ['x-user', 'zo%C3%AB%0D%0Aevil'],
        ['x-roles', 'a,b'],
      ]);
    }
  });

  it('asks for a token without saying more where there is none', async () => {
    const filter = await filterWith({ ...inline(key), realm: 'lab' });
    expect(await ask(filter, undefined)).toMatchObject({
      status: 401,
      challenge: 'Bearer realm="lab"',
    });
    const basic = await askWith(filter, 'GET / HTTP/1.1\nauthorization: Basic abc');
    expect(basic.challenge).toBe('Bearer realm="lab"');
  });

  it('lets requests without a token in where it is optional, but none with a bad one', async () => {
    const filter = await filterWith({
      ...inline(key),
      optional: true,
      claimsToHeaders: { 'x-user': 'sub' },
    });
    const { status, headers } = await ask(filter, undefined, '\nx-user: admin');
    expect(status).toBeUndefined();
    expect(headers.get('x-user')).toBeUndefined();
    expect((await ask(filter, 'rubbish')).status).toBe(401);
  });

  it('wants scopes (RFC 6750 section 3.1)', async () => {
    const filter = await filterWith({ ...inline(key), scopes: ['read', 'write'] });
    expect((await ask(filter, await sign(key, { scope: 'write read x' }))).status).toBeUndefined();
    expect(await ask(filter, await sign(key, { scope: 'read' }))).toMatchObject({
      status: 403,
      reason: 'insufficient-scope',
      challenge: 'Bearer realm="jwt", error="insufficient_scope", scope="read write"',
    });
  });

  it('finds the token where it is told to look, in that order', async () => {
    const filter = await filterWith({
      ...inline(key),
      from: [{ header: 'x-token', scheme: '' }, { cookie: 'session' }, { query: 'token' }],
      forwardToken: false,
    });
    const token = await sign(key);
    const cookie = await askWith(filter, `GET / HTTP/1.1\ncookie: a=1; session=${token}; b=2`);
    expect([cookie.status, cookie.headers.get('cookie')]).toEqual([undefined, 'a=1; b=2']);
    const header = await askWith(filter, `GET /?token=bad HTTP/1.1\nx-token: ${token}`);
    expect([header.status, header.headers.get('x-token')]).toEqual([undefined, undefined]);
    expect((await askWith(filter, `GET /?token=${token} HTTP/1.1`)).status).toBeUndefined();
    expect((await askWith(filter, `GET / HTTP/1.1\nauthorization: Bearer ${token}`)).status).toBe(
      401,
    );
  });

  it('looks at the time with every request, also of tokens that it knows', async () => {
    const runtime = createManualRuntime();
    const filter = await filterWith({ ...inline(key), clockToleranceMs: 1_000 }, runtime);
    const token = await sign(key, { exp: Math.floor(runtime.clock.wallMs() / 1_000) + 10 });
    expect((await ask(filter, token)).status).toBeUndefined();
    runtime.scheduler.advance(10_999);
    expect((await ask(filter, token)).status).toBeUndefined();
    runtime.scheduler.advance(1);
    expect(await ask(filter, token)).toMatchObject({
      status: 401,
      challenge:
        'Bearer realm="jwt", error="invalid_token", error_description="The token has expired"',
    });
  });

  it('wants a type where it is told to', async () => {
    const filter = await filterWith({ ...inline(key), type: 'at+jwt' });
    expect(
      (await ask(filter, await sign(key, {}, { typ: 'application/at+jwt' }))).status,
    ).toBeUndefined();
    expect((await ask(filter, await sign(key, {}, { typ: 'JWT' }))).status).toBe(401);
  });
});

describe('a token that nobody should have made', () => {
  const forged: Record<string, () => Promise<string> | string> = {
    'without a signature (alg none)': () =>
      `${part({ alg: 'none' })}.${part({ iss: 'me', aud: 'api', exp: 4e9 })}.`,
    'with alg None in other letters': () =>
      `${part({ alg: 'nOnE', kid: 'r1' })}.${part({ iss: 'me', aud: 'api', exp: 4e9 })}.`,
    'signed with the public key as a shared secret (key confusion)': async () => {
      const publicKey = (await importJWK(rsa.publicJwk, 'RS256')) as CryptoKey;
      const input = `${part({ alg: 'HS256', kid: 'r1' })}.${part({ iss: 'me', aud: 'api', exp: 4e9 })}`;
      const mac = createHmac('sha256', await exportSPKI(publicKey))
        .update(input)
        .digest('base64url');
      return `${input}.${mac}`;
    },
    'with its own key in the header (jwk)': async () => {
      const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
      const jwk = { ...((await crypto.subtle.exportKey('jwk', publicKey)) as object) };
      return new SignJWT({ iss: 'me', aud: 'api', exp: 4e9 })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1', jwk })
        .sign(privateKey);
    },
    'of another key under a known name': async () => sign({ ...other, id: 'k1' }),
    'whose claims were changed': async () => {
      const [head, , signature] = (await sign(key)).split('.');
      return `${head}.${part({ iss: 'me', aud: 'api', exp: 4e9, sub: 'admin' })}.${signature}`;
    },
    'with an algorithm that is not allowed': async () => sign(rsa, {}, { alg: 'RS256' }),
    'with a critical extension that nobody knows': () => {
      const head = { alg: 'ES256', kid: 'k1', crit: ['x'], x: 1 };
      return `${part(head)}.${part({ iss: 'me', aud: 'api', exp: 4e9 })}.AAAA`;
    },
    'that is no JSON': async () => `${part('x')}.${part('y')}.AAAA`,
    'of three empty parts': () => '..',
    'with five parts': () => 'a.b.c.d.e',
    'of 12,000 dots': () => '.'.repeat(12_000),
    'of 20 KiB': () => `${'a'.repeat(20_000)}.b.c`,
  };

  it.each(Object.keys(forged))('%s is refused', async (name) => {
    const filter = await filterWith({ ...inline(key, rsa), algorithms: ['ES256'] });
    const found = await ask(filter, await forged[name]!());
    expect(found.status).toBe(401);
    expect(found.challenge).toContain('error="invalid_token"');
  });

  it('is refused with an algorithm that the keys could do, but the list does not name', async () => {
    const both = await filterWith({ ...inline(key, rsa) });
    expect((await ask(both, await sign(rsa))).status).toBeUndefined();
    const one = await filterWith({ ...inline(key, rsa), algorithms: ['ES256'] });
    expect((await ask(one, await sign(rsa))).status).toBe(401);
  });
});

describe('the keys of an issuer', () => {
  it('are fetched once for many requests', async () => {
    const issuer = await issuerWith(key);
    const filter = await filterWith({ jwksUrl: issuer.url });
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, at) => sign(key, { at })));
    const found = await Promise.all(tokens.map((token) => ask(filter, token)));
    expect(found.every(({ status }) => status === undefined)).toBe(true);
    expect(issuer.requestCount).toBe(1);
  });

  it('are fetched anew for a token that names another one: the issuer has changed its keys', async () => {
    const runtime = createManualRuntime();
    const issuer = await issuerWith(key);
    const filter = await filterWith({ jwksUrl: issuer.url }, runtime);
    expect((await ask(filter, await sign(key))).status).toBeUndefined();
    issuer.keys = [other];
    runtime.scheduler.advance(30_000);
    expect((await ask(filter, await sign(other))).status).toBeUndefined();
    // The one that is gone is gone, also for tokens that were known.
    expect((await ask(filter, await sign(key))).status).toBe(401);
    expect(issuer.requestCount).toBe(2);
  });

  it('are not fetched for every key that somebody makes up', async () => {
    const runtime = createManualRuntime();
    const issuer = await issuerWith(key);
    const filter = await filterWith({ jwksUrl: issuer.url }, runtime);
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, at) => sign({ ...other, id: `made-up-${at}` })),
    );
    for (const token of tokens) expect((await ask(filter, token)).status).toBe(401);
    expect(issuer.requestCount).toBe(1);
    runtime.scheduler.advance(30_000);
    for (const token of tokens) expect((await ask(filter, token)).status).toBe(401);
    expect(issuer.requestCount).toBe(2);
    expect((await ask(filter, await sign(key))).status).toBeUndefined();
  });

  it('serve on while the issuer is away, but not for ever', async () => {
    const runtime = createManualRuntime();
    const issuer = await issuerWith(key);
    const filter = await filterWith({ jwksUrl: issuer.url, maxStaleMs: 3_600_000 }, runtime);
    issuer.answer = (response) => response.socket?.resetAndDestroy();
    runtime.scheduler.advance(3_500_000);
    expect((await ask(filter, await sign(key))).status).toBeUndefined();
    await expect.poll(() => filter.status?.()['keyFailureCount']).toBe(1);
    runtime.scheduler.advance(100_001);
    expect(await ask(filter, await sign(key))).toMatchObject({ status: 503, reason: 'no-keys' });
    // Back again.
    issuer.answer = undefined;
    runtime.scheduler.advance(30_000);
    expect((await ask(filter, await sign(key))).status).toBeUndefined();
  });

  it('may be missing at the start: requests are refused until they come', async () => {
    const runtime = createManualRuntime();
    const issuer = await issuerWith(key);
    issuer.answer = (response) => void response.writeHead(500).end();
    const filter = await filterWith({ jwksUrl: issuer.url }, runtime);
    expect((await ask(filter, await sign(key))).status).toBe(503);
    issuer.answer = undefined;
    runtime.scheduler.advance(30_000);
    expect((await ask(filter, await sign(key))).status).toBeUndefined();
  });

  it.each<[string, Issuer['answer']]>([
    ['no JSON', (response) => void response.end('<html>')],
    ['no keys', (response) => void response.end('{"keys":[]}')],
    ['null', (response) => void response.end('null')],
    ['shared secrets only', (response) => void response.end('{"keys":[{"kty":"oct","k":"AAAA"}]}')],
    ['a redirect', (response) => void response.writeHead(302, { location: '/other' }).end()],
    [
      'half an answer',
      (response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"keys":[');
        setImmediate(() => response.socket?.destroy());
      },
    ],
    [
      'an answer without end',
      (response) => {
        const more = (): void => {
          while (response.write(Buffer.alloc(65_536, 0x20)));
          if (!response.destroyed) response.once('drain', more);
        };
        more();
      },
    ],
  ])('stay as they are when the issuer answers with %s', async (_, answer) => {
    const runtime = createManualRuntime();
    const issuer = await issuerWith(key);
    const filter = await filterWith({ jwksUrl: issuer.url }, runtime);
    issuer.answer = answer;
    runtime.scheduler.advance(600_001);
    expect((await ask(filter, await sign(key))).status).toBeUndefined();
    await expect.poll(() => filter.status?.()['keyFailureCount']).toBe(1);
    expect((await ask(filter, await sign(key, { again: true }))).status).toBeUndefined();
  });

  it('are not waited for longer than the limit', async () => {
    const runtime = createManualRuntime();
    const issuer = await issuerWith(key);
    issuer.answer = () => undefined;
    const making = filterWith({ jwksUrl: issuer.url, timeoutMs: 2_000 }, runtime);
    await expect.poll(() => issuer.requestCount).toBe(1);
    runtime.scheduler.advance(2_000);
    const filter = await making;
    expect(filter.status?.()).toMatchObject({ keyFailureCount: 1, keyCount: 0 });
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  it('are tried one after the other for a token that names none', async () => {
    const more = await Promise.all([issuerKey('k3'), issuerKey('k4')]);
    const filter = await filterWith(inline(key, ...more));
    const token = await sign(more[1]!, {}, { kid: undefined });
    expect((await ask(filter, token)).status).toBeUndefined();
    expect((await ask(filter, await sign(other, {}, { kid: undefined }))).status).toBe(401);
  });
});

describe('options of jwt', () => {
  it.each([
    [{ issuer: 'me', audience: 'api' }, 'either jwksUrl or jwks'],
    [{ audience: 'api', jwksUrl: 'https://a/' }, 'jwt.issuer'],
    [{ issuer: 'me', jwksUrl: 'https://a/' }, 'jwt.audience'],
    [
      { issuer: 'me', audience: 'api', jwksUrl: 'http://issuer.example/' },
      'jwt.jwksUrl: expected a URL of https',
    ],
    [
      { issuer: 'me', audience: 'api', jwksUrl: 'https://a/', algorithms: ['HS256'] },
      'jwt.algorithms[0]',
    ],
    [
      { issuer: 'me', audience: 'api', jwksUrl: 'https://a/', algorithms: ['none'] },
      'jwt.algorithms[0]',
    ],
    [
      { issuer: 'me', audience: 'api', jwks: { keys: [{ kty: 'oct', k: 'AA' }] } },
      'a public key: neither',
    ],
    [
      { issuer: 'me', audience: 'api', jwks: { keys: [{ kty: 'EC', d: 'AA' }] } },
      'a public key: neither',
    ],
  ])('%j', async (options, message) => {
    expect(await faultOf({ jwt: options })).toContain(message);
  });
});
