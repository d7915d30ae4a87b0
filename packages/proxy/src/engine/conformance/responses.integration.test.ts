/** Responses of endpoints: what goes to the client, and which connections go on. RFC 9110 section 15, RFC 9112 section 6. */
import { createCluster } from '@evenkeel/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProxy, type Proxy } from '../../index.ts';
import { RawClient } from '../test-support/raw-client.ts';
import {
  type OriginConnection,
  scriptedOrigin,
  type ScriptedOrigin,
} from '../test-support/scripted-origin.ts';
import type { Cluster } from '@evenkeel/core';

/** What the endpoint answers to the request at hand. */
let answer: (connection: OriginConnection) => void = () => undefined;
let origin: ScriptedOrigin;
let cluster: Cluster;
let proxy: Proxy;

beforeAll(async () => {
  origin = await scriptedOrigin((connection) => {
    if (!connection.received.includes('\r\n\r\n')) return;
    connection.received = '';
    answer(connection);
  });
  cluster = createCluster({
    name: 'origin',
    outlierDetection: false,
    discovery: [`127.0.0.1:${origin.port}`],
  });
  await cluster.ready();
  proxy = await createProxy({
    clusters: [cluster],
    via: false,
    listeners: [{ listen: '127.0.0.1:0', http: { routes: [{ cluster: 'origin', retry: false }] } }],
  });
});
afterAll(async () => {
  await proxy.close({ drainTimeoutMs: 500 });
  await cluster.close();
  await origin.close();
});

const DATE = 'date: now\r\n';
const of = (status: string, fields: string, body = ''): string =>
  `HTTP/1.1 ${status}\r\n${DATE}${fields}\r\n${body}`;
const OK = of('200 OK', 'content-length: 2\r\n', 'ok');

/** Sends one request and ends the client's side. @returns all that comes back */
async function ask(method = 'GET', version = '1.1'): Promise<RawClient> {
  const client = await new RawClient(proxy.addresses[0]!.port).connected();
  client.send(`${method} / HTTP/${version}\r\nhost: a\r\n\r\n`);
  client.socket.end();
  return client.until(() => client.ended || client.closed);
}

interface Passed {
  /** What the endpoint says, and whether it closes then. */
  readonly says: string;
  readonly closes?: boolean;
  readonly method?: string;
  readonly version?: string;
  /** What the client gets. */
  readonly gets: string;
  /** Does the next request go over the same connection to the endpoint? */
  readonly keeps: boolean;
}

const chunked = of('200 OK', 'transfer-encoding: chunked\r\n', '2\r\nok\r\n0\r\n\r\n');
const PASSED: Readonly<Record<string, Passed>> = {
  'with a length': { says: OK, gets: OK, keeps: true },
  'in chunks': { says: chunked, gets: chunked, keeps: true },
  'in chunks, for HTTP/1.0': {
    says: chunked,
    version: '1.0',
    gets: of('200 OK', 'connection: close\r\n', 'ok'),
    keeps: true,
  },
  'until the end': { says: of('200 OK', '', 'ok'), closes: true, gets: chunked, keeps: false },
  'until the end, for HTTP/1.0': {
    says: of('200 OK', '', 'ok'),
    closes: true,
    version: '1.0',
    gets: of('200 OK', 'connection: close\r\n', 'ok'),
    keeps: false,
  },
  'of nothing until the end': {
    says: of('200 OK', ''),
    closes: true,
    gets: of('200 OK', 'transfer-encoding: chunked\r\n', '0\r\n\r\n'),
    keeps: false,
  },
  'of HTTP/1.0': { says: OK.replace('/1.1', '/1.0'), gets: OK, keeps: false },
  'of HTTP/1.0 that stays': {
    says: of('200 OK', 'connection: keep-alive\r\ncontent-length: 2\r\n', 'ok').replace(
      '/1.1',
      '/1.0',
    ),
    gets: OK,
    keeps: true,
  },
  'of HTTP/1.7': { says: OK.replace('/1.1', '/1.7'), gets: OK, keeps: true },
  'that closes': {
    says: of('200 OK', 'connection: close\r\ncontent-length: 2\r\n', 'ok'),
    gets: OK,
    keeps: false,
  },
  'without a reason': {
    says: of('200 ', 'content-length: 2\r\n', 'ok'),
    gets: of('200 ', 'content-length: 2\r\n', 'ok'),
    keeps: true,
  },
  'without a reason and its space': {
    says: of('200', 'content-length: 2\r\n', 'ok'),
    gets: of('200 ', 'content-length: 2\r\n', 'ok'),
    keeps: true,
  },
  'with an odd status': {
    says: of('799 Odd', 'content-length: 2\r\n', 'ok'),
    gets: of('799 Odd', 'content-length: 2\r\n', 'ok'),
    keeps: true,
  },
  'to HEAD': {
    says: of('200 OK', 'content-length: 99\r\n'),
    method: 'HEAD',
    gets: of('200 OK', 'content-length: 99\r\n'),
    keeps: true,
  },
  'to HEAD in chunks': {
    says: of('200 OK', 'transfer-encoding: chunked\r\n'),
    method: 'HEAD',
    gets: of('200 OK', ''),
    keeps: true,
  },
  'to HEAD with a body': {
    says: OK,
    method: 'HEAD',
    gets: of('200 OK', 'content-length: 2\r\n'),
    keeps: false,
  },
  'of 204': { says: of('204 No', ''), gets: of('204 No', ''), keeps: true },
  'of 204 with a length': {
    says: of('204 No', 'content-length: 2\r\n', 'ok'),
    gets: of('204 No', ''),
    keeps: false,
  },
  'of 204 with a length and no body': {
    says: of('204 No', 'content-length: 2\r\n'),
    gets: of('204 No', ''),
    keeps: false,
  },
  'of 204 in chunks': {
    says: of('204 No', 'transfer-encoding: chunked\r\n'),
    gets: of('204 No', ''),
    keeps: false,
  },
  'of 204 with a length of nothing': {
    says: of('204 No', 'content-length: 0\r\n'),
    gets: of('204 No', ''),
    keeps: true,
  },
  'of 304 with a length': {
    says: of('304 Same', 'content-length: 2\r\n'),
    gets: of('304 Same', 'content-length: 2\r\n'),
    keeps: true,
  },
  'of 304 with a body': {
    says: of('304 Same', 'content-length: 2\r\n', 'ok'),
    gets: of('304 Same', 'content-length: 2\r\n'),
    keeps: false,
  },
  'of 205 with a length of nothing': {
    says: of('205 Reset', 'content-length: 0\r\n'),
    gets: of('205 Reset', 'content-length: 0\r\n'),
    keeps: true,
  },
  'followed by rubbish': { says: `${OK}rubbish`, gets: OK, keeps: false },
  'followed by another response': { says: OK + OK, gets: OK, keeps: false },
  'after 100': {
    says: `HTTP/1.1 100 Continue\r\n\r\n${OK}`,
    gets: `HTTP/1.1 100 Continue\r\n\r\n${OK}`,
    keeps: true,
  },
  'after 103': {
    says: `HTTP/1.1 103 Early\r\nlink: </x>\r\n\r\n${OK}`,
    gets: `HTTP/1.1 103 Early\r\nlink: </x>\r\n\r\n${OK}`,
    keeps: true,
  },
  'after 1xx with a length': {
    says: `HTTP/1.1 102 Wait\r\ncontent-length: 9\r\n\r\n${OK}`,
    gets: `HTTP/1.1 102 Wait\r\n\r\n${OK}`,
    keeps: true,
  },
  'after 103, for HTTP/1.0': {
    says: `HTTP/1.1 103 Early\r\nlink: </x>\r\n\r\n${OK}`,
    version: '1.0',
    gets: of('200 OK', 'content-length: 2\r\nconnection: close\r\n', 'ok'),
    keeps: true,
  },
  'after 16 of 1xx': {
    says: 'HTTP/1.1 102 Wait\r\n\r\n'.repeat(16) + OK,
    gets: 'HTTP/1.1 102 Wait\r\n\r\n'.repeat(16) + OK,
    keeps: true,
  },
  'with fields of its hop': {
    says: of(
      '200 OK',
      'connection: x\r\nx: 1\r\nkeep-alive: 5\r\nproxy-authenticate: z\r\nupgrade: h2c\r\ny: 2\r\ncontent-length: 2\r\n',
      'ok',
    ),
    gets: of('200 OK', 'y: 2\r\ncontent-length: 2\r\n', 'ok'),
    keeps: true,
  },
  'with trailers': {
    says: of(
      '200 OK',
      'transfer-encoding: chunked\r\n',
      '2;x\r\nok\r\n0\r\nx: 1\r\nset-cookie: y\r\ncontent-length: 3\r\n\r\n',
    ),
    gets: of('200 OK', 'transfer-encoding: chunked\r\n', '2\r\nok\r\n0\r\nx: 1\r\n\r\n'),
    keeps: true,
  },
};

describe('a response', () => {
  it.each(Object.entries(PASSED))(
    '%s',
    async (_, { says, closes, method, version, gets, keeps }) => {
      answer = (connection) => {
        connection.write(says);
        if (closes === true) connection.socket.end();
      };
      const client = await ask(method, version);
      expect(client.received).toBe(gets);
      await expect.poll(() => cluster.snapshot().totals.activeCount).toBe(0);
      const count = origin.connections.length;
      answer = (connection) => connection.write(OK);
      expect((await ask()).received).toBe(OK);
      expect(origin.connections.length > count).toBe(!keeps);
    },
  );
});

const head = (fields: string): string => of('200 OK', fields, 'ok');
const REFUSED: Readonly<Record<string, string>> = {
  'no status line': 'hello\r\n\r\n',
  'HTTP/0.9': '<html></html>',
  'HTTP/2.0': OK.replace('/1.1', '/2.0'),
  'a name in lower case': OK.replace('HTTP', 'http'),
  'another name': OK.replace('HTTP', 'ICY'),
  'a space before it': ` ${OK}`,
  'an empty line before it': `\r\n${OK}`,
  'two spaces': OK.replace(' 200', '  200'),
  'a tab': OK.replace(' 200', '\t200'),
  'a status of two digits': OK.replace('200', '20'),
  'a status of four digits': OK.replace('200', '2000'),
  'a status of letters': OK.replace('200', '2xx'),
  'a status below 100': OK.replace('200', '099'),
  'a negative status': OK.replace('200', '-20'),
  'NUL in the reason': OK.replace('OK', 'O\0K'),
  'a bare LF after the status line': OK.replace('OK\r', 'OK'),
  'a bare CR in the reason': OK.replace('OK', 'O\rK'),
  'two lengths': head('content-length: 2\r\ncontent-length: 3\r\n'),
  'two lengths that agree': head('content-length: 2\r\ncontent-length: 2\r\n'),
  'a list of lengths': head('content-length: 2, 2\r\n'),
  'a length with a sign': head('content-length: +2\r\n'),
  'a length that is empty': head('content-length:\r\n'),
  'a length that overflows': head('content-length: 99999999999999999999\r\n'),
  'a length beside chunks': head('content-length: 2\r\ntransfer-encoding: chunked\r\n'),
  'chunks on HTTP/1.0': head('transfer-encoding: chunked\r\n').replace('/1.1', '/1.0'),
  'two codings': head('transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n'),
  'a list of codings': head('transfer-encoding: gzip, chunked\r\n'),
  identity: head('transfer-encoding: identity\r\n'),
  'chunked and more': head('transfer-encoding: chunked;x\r\n'),
  'a space before a colon': head('transfer-encoding : chunked\r\n'),
  'a folded line': head('x: 1\r\n y\r\ncontent-length: 2\r\n'),
  'a bare LF in a field': head('x: 1\ny: 2\r\ncontent-length: 2\r\n'),
  'a bare CR in a field': head('x: 1\ry: 2\r\ncontent-length: 2\r\n'),
  'NUL in a field': head('x: \0\r\ncontent-length: 2\r\n'),
  'a field without a name': head(': 1\r\ncontent-length: 2\r\n'),
  'a field without a colon': head('x\r\ncontent-length: 2\r\n'),
  'an option that is no token': head('connection: x y\r\ncontent-length: 2\r\n'),
  '101 that nobody asked for': 'HTTP/1.1 101 Go\r\nupgrade: x\r\n\r\n',
  'a head of 17,000 bytes': head(`x: ${'y'.repeat(17_000)}\r\ncontent-length: 2\r\n`),
  '101 fields': head('x: y\r\n'.repeat(101)),
  'an endless head': `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`,
  '17 of 1xx': 'HTTP/1.1 102 Wait\r\n\r\n'.repeat(17) + OK,
  nothing: '',
  'half a status line': 'HTTP/1.',
  'half a head': 'HTTP/1.1 200 OK\r\ncontent-len',
};

describe('an endpoint that breaks a rule is answered with 502, and left:', () => {
  it.each(Object.entries(REFUSED))('%s', async (_, says) => {
    answer = (connection) => {
      connection.write(says);
      connection.socket.end();
    };
    const { received } = await ask();
    const last = received.slice(received.lastIndexOf('HTTP/1.1 '));
    expect(last).toMatch(/^HTTP\/1\.1 502 /);
    expect(last).not.toContain('ok');
    await expect.poll(() => proxy.stats.upstreamCount).toBe(0);
    answer = (connection) => connection.write(OK);
    expect((await ask()).received).toBe(OK);
  });
});

const CUT: Readonly<Record<string, readonly [first: string, then: string]>> = {
  'less than its length': [of('200 OK', 'content-length: 9\r\n', 'ok'), ''],
  'no last chunk': [of('200 OK', 'transfer-encoding: chunked\r\n', '2\r\nok\r\n'), ''],
  'half a chunk': [of('200 OK', 'transfer-encoding: chunked\r\n', '9\r\nok'), ''],
  'a bad size': [of('200 OK', 'transfer-encoding: chunked\r\n', '2\r\nok\r\n'), 'x\r\n'],
  'a size with a sign': [of('200 OK', 'transfer-encoding: chunked\r\n', '2\r\nok\r\n'), '-1\r\n'],
  'a bare LF after a size': [
    of('200 OK', 'transfer-encoding: chunked\r\n', '2\r\nok\r\n'),
    '2\nok\r\n0\r\n\r\n',
  ],
  'no line end after the data': [
    of('200 OK', 'transfer-encoding: chunked\r\n', '2\r\nok\r\n'),
    '2\r\nokXX0\r\n\r\n',
  ],
  'a trailer that is none': [
    of('200 OK', 'transfer-encoding: chunked\r\n', '2\r\nok\r\n'),
    '0\r\nx\r\n\r\n',
  ],
  'no end of its trailers': [
    of('200 OK', 'transfer-encoding: chunked\r\n', '2\r\nok\r\n'),
    '0\r\nx: 1\r\n',
  ],
};

describe('a response that breaks off, or breaks a rule after its head, is cut off:', () => {
  it.each(Object.entries(CUT))('%s', async (_, [first, then]) => {
    let connection: OriginConnection | undefined;
    answer = (asked) => {
      connection = asked;
      asked.write(first);
    };
    const client = await new RawClient(proxy.addresses[0]!.port).connected();
    client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await client.untilText('ok');
    connection!.write(then);
    connection!.socket.end();
    await client.until(() => client.closed);
    // With RST: no end that could be taken for the end of the body.
    expect(client.ended).toBe(false);
    expect(client.received).not.toMatch(/\r\n0\r\n/);
  });
});

describe('a response whose first chunk breaks a rule', () => {
  it('is none at all', async () => {
    answer = (connection) =>
      connection.write(of('200 OK', 'transfer-encoding: chunked\r\n', 'x\r\n'));
    const client = await ask();
    expect([client.received, client.ended]).toEqual(['', false]);
  });
});

describe('a response that comes early', () => {
  it('is passed on, and ends the connection of a client that is not done', async () => {
    answer = (connection) => connection.write(of('413 No', 'content-length: 0\r\n'));
    const client = await new RawClient(proxy.addresses[0]!.port).connected();
    client.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nabc');
    await client.untilEnd();
    expect(client.received).toMatch(/^HTTP\/1\.1 413 No\r\n/);
    expect(client.received).toMatch(/^connection: close\r$/m);
    client.destroy();
    await expect.poll(() => proxy.stats.upstreamCount).toBe(0);
  });

  it('cannot switch protocols: the rest of the request would be bytes of the other one', async () => {
    answer = (connection) =>
      connection.write('HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
    const client = await new RawClient(proxy.addresses[0]!.port).connected();
    client.send(
      'POST / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\ncontent-length: 9\r\n\r\nabc',
    );
    await client.untilEnd();
    expect(client.received).toMatch(/^HTTP\/1\.1 502 /);
    client.destroy();
  });
});
