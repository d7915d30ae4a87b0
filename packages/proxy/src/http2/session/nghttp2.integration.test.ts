/** Against the tools of nghttp2: a client that shows frames, and a load generator. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../../test/support/require-component.ts';
import { answer, listenOwn } from './test-support/loopback.ts';

const nghttp = requireComponent('nghttp');
const h2load = requireComponent('h2load');
const run = promisify(execFile);

const fields = {
  ':status': '200',
  'content-type': 'text/plain',
  server: 'evenkeel',
  'x-date': 'Sat, 21 Nov 2026 09:00:00 GMT',
};

describe.skipIf(nghttp.path === undefined)('nghttp', () => {
  it('gets an answer with a body and trailers, and padded uploads echoed', async () => {
    const server = await listenOwn((request, stream, session) =>
      answer(stream, session, { fields, body: request.body, trailers: { 'x-trailer': 'yes' } }),
    );
    const url = `http://127.0.0.1:${server.port}/`;
    const sent = ['-v', '-b', '100', '-d', import.meta.filename, '-H', ':method: POST'];
    const { stdout } = await run(nghttp.path as string, [...sent, url]);
    expect(stdout).toContain(':status: 200');
    expect(stdout).toContain('x-trailer: yes');
    expect(stdout).toContain('Against the tools of nghttp2');
    // Not in one piece: this file is what is sent and echoed.
    expect(stdout).not.toContain(['recv', 'RST_STREAM'].join(' '));
    expect(server.errors).toEqual([]);
    server.close();
  });
});

describe.skipIf(h2load.path === undefined)('h2load', () => {
  it.each<readonly [string, readonly string[]]>([
    ['small answers on many streams', ['-n', '20000', '-c', '8', '-m', '50']],
    // Windows of 2^12 and 2^16 - 1.
    ['with narrow windows', ['-n', '2000', '-c', '4', '-m', '20', '-w', '12', '-W', '16']],
    [
      'with a small table for fields',
      ['-n', '5000', '-c', '2', '-m', '30', '--header-table-size=200'],
    ],
  ])('gets %s', async (_, options) => {
    const body = Buffer.alloc(20_000, 'x');
    const server = await listenOwn((__, stream, session) =>
      answer(stream, session, { fields, body }),
    );
    const url = `http://127.0.0.1:${server.port}/`;
    const { stdout } = await run(h2load.path as string, [...options, url]);
    const count = options[1];
    expect(stdout).toContain(`${count} done, ${count} succeeded, 0 failed, 0 errored`);
    expect(server.errors).toEqual([]);
    server.close();
  });
});
