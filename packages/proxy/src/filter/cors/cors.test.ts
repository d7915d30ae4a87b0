import { describe, expect, it } from 'vitest';
import { fakeRequest } from '../test-support/fake-request.ts';
import { fakeResponse } from '../test-support/fake-response.ts';
import { faultOf, makeFilter } from '../test-support/make-filter.ts';
import { Origins } from './origins.ts';
import type { CorsOptions } from './schema.ts';

/** Fields of the answer, `vary` left out. */
async function answerTo(options: CorsOptions, head: string, fields: Record<string, string> = {}) {
  const filter = await makeFilter({ cors: options });
  const request = fakeRequest(head);
  const answer = filter.onRequest?.(request);
  const response = fakeResponse(200, fields);
  filter.onResponse?.(response, request);
  const vary = response.headers.get('vary');
  response.headers.remove('vary');
  return { answer, vary, fields: Object.fromEntries(response.headers.lines) };
}

const ORIGIN = 'https://a.example';
const preflight = (method: string, more = ''): string =>
  `OPTIONS / HTTP/1.1\norigin: ${ORIGIN}\naccess-control-request-method: ${method}${more}`;

describe('cors', () => {
  it('names an origin that is allowed', async () => {
    const options = { origins: [ORIGIN], exposeHeaders: ['X-Total'], credentials: true };
    const { answer, vary, fields } = await answerTo(options, `GET / HTTP/1.1\norigin: ${ORIGIN}`);
    expect(answer).toBeUndefined();
    expect(vary).toBe('Origin');
    expect(fields).toEqual({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'x-total',
    });
  });

  it('says nothing to an origin that is not, whatever the endpoint says', async () => {
    const { vary, fields } = await answerTo(
      { origins: [ORIGIN] },
      'GET / HTTP/1.1\norigin: https://evil.example',
      {
        'access-control-allow-origin': '*',
        'access-control-allow-credentials': 'true',
        'x-a': 'b',
      },
    );
    expect(fields).toEqual({ 'x-a': 'b' });
    expect(vary).toBe('Origin');
  });

  it('keeps caches from mixing up origins, also where none was sent', async () => {
    expect((await answerTo({ origins: [ORIGIN] }, 'GET / HTTP/1.1')).vary).toBe('Origin');
    const all = await answerTo({ origins: ['*'] }, `GET / HTTP/1.1\norigin: ${ORIGIN}`);
    expect(all.vary).toBeUndefined();
    expect(all.fields).toEqual({ 'access-control-allow-origin': '*' });
  });

  it('answers preflight requests with what was asked for', async () => {
    const options = {
      origins: [ORIGIN],
      methods: ['PUT'],
      requestHeaders: ['X-Team', 'Content-Type'],
    };
    const head = preflight('PUT', '\naccess-control-request-headers: content-type, x-team');
    const { answer, vary, fields } = await answerTo(options, head);
    expect(answer).toEqual({ status: 204, reason: 'preflight' });
    expect(vary).toContain('Access-Control-Request-Method');
    expect(fields).toEqual({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': 'PUT',
      'access-control-allow-headers': 'content-type, x-team',
      'access-control-max-age': '600',
    });
  });

  it.each([
    ['a method', preflight('DELETE')],
    ['a method in another case', preflight('put')],
    ['a header', preflight('PUT', '\naccess-control-request-headers: x-other')],
    ['a private network', preflight('PUT', '\naccess-control-request-private-network: true')],
    ['an origin', preflight('PUT').replace(ORIGIN, 'https://b.example')],
  ])('permits nothing to a preflight request for %s that is not allowed', async (_, head) => {
    const options = { origins: [ORIGIN], methods: ['PUT'], requestHeaders: ['x-team'] };
    const { answer, fields } = await answerTo(options, head, {
      'access-control-allow-methods': '*',
    });
    expect(answer).toEqual({ status: 204, reason: 'preflight' });
    expect(fields).toEqual({});
  });

  it('may permit everything, and pages of public networks', async () => {
    const options = { origins: ['*'], methods: ['*'], requestHeaders: ['*'], privateNetwork: true };
    const more =
      '\naccess-control-request-headers: X-Any\naccess-control-request-private-network: true';
    const { fields } = await answerTo(options, preflight('PURGE', more));
    expect(fields).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'PURGE',
      'access-control-allow-headers': 'x-any',
      'access-control-allow-private-network': 'true',
    });
  });

  it('leaves preflight requests to the endpoint if told to, and other OPTIONS always', async () => {
    const head = preflight('GET');
    const forwarded = await answerTo({ origins: [ORIGIN], preflight: 'forward' }, head);
    expect(forwarded.answer).toBeUndefined();
    expect(forwarded.fields['access-control-allow-methods']).toBe('GET');
    const plain = await answerTo({ origins: [ORIGIN] }, `OPTIONS / HTTP/1.1\norigin: ${ORIGIN}`);
    expect(plain.answer).toBeUndefined();
  });

  it('does not let names that are none into its answer', async () => {
    const head = preflight('GET', '\naccess-control-request-headers: x-a, b c, "d", é');
    const { fields } = await answerTo({ origins: ['*'], requestHeaders: ['*'] }, head);
    expect(fields['access-control-allow-headers']).toBe('x-a');
  });

  it.each([
    [{ origins: ['*'], credentials: true }, 'cors.credentials: expected false'],
    [{ origins: [] }, 'at least one origin'],
    [{ origins: ['https://a.example/'] }, 'cors.origins[0]: expected an origin'],
    [{ origins: ['a.example'] }, 'cors.origins[0]'],
    [{ origins: ['https://a.*.example'] }, 'cors.origins[0]'],
  ])('refuses %j', async (options, message) => {
    expect(await faultOf({ cors: options })).toContain(message);
  });
});

describe('origins', () => {
  it.each([
    ['https://*.example.com', 'https://a.example.com', true],
    ['https://*.example.com', 'https://a.b.example.com', true],
    ['https://*.example.com', 'HTTPS://A.Example.com', true],
    ['https://*.example.com', 'https://example.com', false],
    ['https://*.example.com', 'https://evilexample.com', false],
    ['https://*.example.com', 'https://a.example.com.evil.net', false],
    ['https://*.example.com', 'http://a.example.com', false],
    ['https://*.example.com', 'https://a.example.com:8443', false],
    ['https://*.example.com', 'https://evil.net/?.example.com', false],
    ['http://localhost:*', 'http://localhost:3000', true],
    ['http://localhost:*', 'http://localhost', true],
    ['http://localhost:*', 'http://localhost:3000.evil.net', false],
    ['null', 'null', true],
    ['https://a.example', 'https://axexample', false],
  ])('%s: %s %s', (pattern, origin, expected) => {
    expect(new Origins([pattern]).allow(origin)).toBe(expected);
  });

  it('take time linear in the origin, also in one made to be slow', () => {
    const origins = new Origins(['https://*.example.com']);
    // Quadratic behaviour would need minutes, which the limit of a test does not allow.
    expect(origins.allow(`https://${'a.'.repeat(400_000)}x`)).toBe(false);
  });
});
