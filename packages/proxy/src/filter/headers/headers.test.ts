import { describe, expect, it } from 'vitest';
import { fakeRequest } from '../test-support/fake-request.ts';
import { fakeResponse } from '../test-support/fake-response.ts';
import { faultOf, makeFilter } from '../test-support/make-filter.ts';
import type { HeadersOptions } from './schema.ts';

async function requestAfter(request: HeadersOptions['request'], head: string) {
  const filter = await makeFilter({ headers: { request } });
  const asked = fakeRequest(head, { peer: '192.0.2.7' });
  expect(filter.onRequest?.(asked)).toBeUndefined();
  return asked.headers.lines;
}

describe('headers', () => {
  it('sets, appends and removes fields of requests', async () => {
    const edits = {
      set: { 'X-One': 'a', 'x-client': '%{client.address}' },
      append: { 'x-two': 'c' },
      remove: ['X-Three'],
    };
    const head = 'GET / HTTP/1.1\nx-one: old\nx-two: b\nx-three: gone\nx-four: stays';
    expect(await requestAfter(edits, head)).toEqual([
      ['x-two', 'b'],
      ['x-four', 'stays'],
      ['x-one', 'a'],
      ['x-client', '192.0.2.7'],
      ['x-two', 'c'],
    ]);
  });

  it('reads all values before the first edit', async () => {
    const edits = { set: { 'x-new': '%{header.x-old}' }, remove: ['x-old'] };
    expect(await requestAfter(edits, 'GET / HTTP/1.1\nx-old: kept')).toEqual([['x-new', 'kept']]);
  });

  it('leaves nothing of the client in a field whose value is empty', async () => {
    const edits = { set: { 'x-user': '%{certificate.subject}' }, append: { 'x-more': '' } };
    expect(await requestAfter(edits, 'GET / HTTP/1.1\nx-user: admin')).toEqual([]);
  });

  it('edits responses, which know their status', async () => {
    const filter = await makeFilter({
      headers: {
        response: { set: { 'x-status': '%{response.status} %{route}' }, remove: ['server'] },
      },
    });
    const response = fakeResponse(404, { server: 'x' });
    filter.onResponse?.(response, fakeRequest());
    expect(response.headers.lines).toEqual([['x-status', '404 api']]);
  });

  it('has no hook that has nothing to do', async () => {
    expect(await makeFilter({ headers: {} })).toEqual({ name: 'headers' });
    expect(await makeFilter({ headers: { request: { remove: ['x'] } } })).not.toHaveProperty(
      'onResponse',
    );
  });

  it.each([
    [{ request: { set: { 'content-length': '1' } } }, 'headers.request.set'],
    [{ request: { set: { Host: 'a' } } }, 'headers.request.set'],
    [{ request: { remove: ['Transfer-Encoding'] } }, 'headers.request.remove[0]'],
    [{ response: { set: { 'x-a': 'b\r\nevil: 1' } } }, 'headers.response.set.x-a'],
    [{ response: { append: { 'x-a': '%{nothing}' } } }, 'a text whose variables are among'],
    [{ response: { set: { 'x a': 'b' } } }, 'headers.response.set'],
    [{ reqest: {} }, "did you mean 'request'"],
  ])('refuses %j', async (options, message) => {
    expect(await faultOf({ headers: options })).toContain(message);
  });
});
