/**
 * What Node's own parser makes of the same bytes. Where the two disagree, the reason is written down here: whatever
 * other programs take for a message and we do not is fine, the other way round is not.
 */
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRequest } from './test-support/read-head.ts';

const HOST = 'host: a\r\n';

/** Both take them, or both refuse them. */
const AGREED: readonly string[] = [
  `GET / HTTP/1.1\r\n${HOST}\r\n`,
  `GET / HTTP/1.0\r\n\r\n`,
  `\r\nGET / HTTP/1.1\r\n${HOST}\r\n`,
  `GET /a?b=c HTTP/1.1\r\n${HOST}x:  1 \t\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}x:\r\n\r\n`,
  `GET http://a.example/x HTTP/1.1\r\n${HOST}\r\n`,
  `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`,
  `GET / HTTP/1.1\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}x : 1\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}: 1\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}x: \0\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}x: a\rb\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}content-length: +1\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}content-length: 1\r\ncontent-length: 2\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}transfer-encoding: chunked, gzip\r\n\r\n`,
  `GET / http/1.1\r\n${HOST}\r\n`,
  `GET / HTTP/9.9\r\n${HOST}\r\n`,
  `GET\t/ HTTP/1.1\r\n${HOST}\r\n`,
  `G(T / HTTP/1.1\r\n${HOST}\r\n`,
];

/** Node takes them, we do not. */
const STRICTER: readonly (readonly [string, string])[] = [
  ['a fragment', `GET /a#b HTTP/1.1\r\n${HOST}\r\n`],
  ['an odd host', `GET / HTTP/1.1\r\nhost: a b\r\n\r\n`],
  ['a host with a user', `GET / HTTP/1.1\r\nhost: u@a\r\n\r\n`],
  ['a coding list', `POST / HTTP/1.1\r\n${HOST}transfer-encoding: gzip, chunked\r\n\r\n`],
  ['a connection option that is no token', `GET / HTTP/1.1\r\n${HOST}connection: a b\r\n\r\n`],
  ['a scheme that is not the web', `GET ftp://a/ HTTP/1.1\r\n${HOST}\r\n`],
];

/** We take them, Node does not: each is harmless, because the message is written anew. */
const LAXER: readonly (readonly [string, string])[] = [
  ['a method that Node does not know', `BREW /pot HTTP/1.1\r\n${HOST}\r\n`],
  ['a minor version from the future', `GET / HTTP/1.7\r\n${HOST}\r\n`],
];

describe("Node's parser", () => {
  const server = http.createServer((_, response) => response.writeHead(204).end());
  let port = 0;

  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const nodeTakes = async (text: string): Promise<boolean> => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(Buffer.from(text, 'latin1'));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return answer.toString('latin1').startsWith('HTTP/1.1 204');
  };
  const weTake = (text: string): boolean => readRequest(text) === 'complete';

  it.each(AGREED)('agrees about %j', async (text) => {
    expect(weTake(text)).toBe(await nodeTakes(text));
  });

  it.each(STRICTER)('takes %s', async (_, text) => {
    expect([weTake(text), await nodeTakes(text)]).toEqual([false, true]);
  });

  it.each(LAXER)('refuses %s', async (_, text) => {
    expect([weTake(text), await nodeTakes(text)]).toEqual([true, false]);
  });
});
