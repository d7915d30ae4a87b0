/** What concerns one connection only, and how long it lasts. RFC 9110 sections 7.6, 7.8 and 10.1, RFC 9112 section 9. */
import { describe, expect, it } from 'vitest';
import { accepts, acceptsLast, bench, refuses, statusesOf } from '../test-support/conformance.ts';

const given = bench();

const get = (fields: string, version = '1.1'): string =>
  `GET / HTTP/${version}\r\nhost: a\r\n${fields}\r\n`;
const plain = get('');

describe('fields of this hop', () => {
  accepts(given, [
    ['keep-alive stays here', get('connection: keep-alive\r\nkeep-alive: timeout=5\r\n'), plain],
    ['proxy-connection stays here', get('proxy-connection: close\r\n'), plain],
    ['te stays here', get('te: trailers, deflate;q=0.5\r\nconnection: te\r\n'), plain],
    ['proxy-authorization stays here', get('proxy-authorization: Basic eA==\r\n'), plain],
    [
      'what connection names stays here',
      get('connection: x-a, X-B\r\nx-a: 1\r\nX-b: 2\r\nx-c: 3\r\n'),
      get('x-c: 3\r\n'),
    ],
    [
      'also over two lines',
      get('connection: x-a\r\nx-a: 1\r\nx-b: 2\r\nconnection: x-b\r\n'),
      plain,
    ],
    ['with empty elements', get('connection: , ,x-a,,\r\nx-a: 1\r\n'), plain],
    ['an empty connection says nothing', get('connection:\r\n'), plain],
    [
      'what frames is not given up',
      get('connection: transfer-encoding, content-length, host\r\n'),
      plain,
    ],
    ['trailer goes on', get('trailer: x\r\n'), get('trailer: x\r\n')],
    ['upgrade that connection does not name', get('upgrade: websocket\r\n'), plain],
    [
      'upgrade to h2c',
      get('connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n'),
      plain,
    ],
    ['upgrade to h2c in a list', get('connection: upgrade\r\nupgrade: websocket, H2C\r\n'), plain],
    ['upgrade to h2c without its settings', get('connection: upgrade\r\nupgrade: h2c\r\n'), plain],
    ['upgrade on two lines', get('connection: upgrade\r\nupgrade: a\r\nupgrade: b\r\n'), plain],
    ['keep-alive on HTTP/1.0', get('connection: keep-alive\r\n', '1.0'), plain],
  ]);
  acceptsLast(given, [
    ['close ends it', get('connection: close\r\n'), plain],
    ['close in a list', get('connection: x-a, CLOSE\r\n'), plain],
    ['close beside keep-alive', get('connection: keep-alive, close\r\n'), plain],
    ['close on the second line', get('connection: keep-alive\r\nconnection: close\r\n'), plain],
    ['HTTP/1.0 ends by itself', get('', '1.0'), plain],
    ['upgrade on HTTP/1.0 is none', get('connection: upgrade\r\nupgrade: x\r\n', '1.0'), plain],
    ['expect on HTTP/1.0 is none', get('expect: tea\r\n', '1.0'), get('expect: tea\r\n')],
  ]);
  refuses(given, [
    ['a space in an option', get('connection: x y\r\n'), 400],
    ['an option in quotes', get('connection: "x"\r\n'), 400],
    ['a semicolon', get('connection: close; x\r\n'), 400],
    [
      '33 options',
      get(`connection: ${Array.from({ length: 33 }, (_, at) => `x-${at}`).join()}\r\n`),
      400,
    ],
    ['another expectation', get('expect: tea\r\n'), 417],
    ['two expectations', get('expect: 100-continue, tea\r\n'), 417],
    ['an expectation twice', get('expect: 100-continue\r\nexpect: 100-continue\r\n'), 417],
    ['an expectation with a parameter', get('expect: 100-continue;x\r\n'), 417],
  ]);
});

describe('requests in one write', () => {
  it('are answered in order, bodies between them and all', async () => {
    given.origin.taken();
    const client = await given.connect();
    const sent = [
      'POST /1 HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nGET',
      'POST /2 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nGET\r\n0\r\n\r\n',
      'GET /3 HTTP/1.1\r\nhost: a\r\n\r\n',
      'POST /4 HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n',
      'GET /5 HTTP/1.1\r\nhost: a\r\n\r\n',
    ];
    client.send(sent.join(''));
    await client.until(() => statusesOf(client.received).length === sent.length);
    expect(given.origin.taken()).toEqual({ requests: sent, fragments: [] });
  });

  it('are answered up to the one that breaks a rule', async () => {
    given.origin.taken();
    const client = await given.connect();
    client.send(`${plain}\r\n${plain}GET / HTTP/1.1\r\nx y\r\n\r\n${plain}`);
    await client.untilEnd();
    expect(statusesOf(client.received)).toEqual([200, 200, 400]);
    expect(given.origin.taken()).toEqual({ requests: [plain, plain], fragments: [] });
  });

  it('mean the same, wherever the bytes are cut', async () => {
    const sent = `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`;
    for (let cut = 1; cut < sent.length; cut += 3) {
      given.origin.taken();
      const client = await given.connect();
      client.send(sent.slice(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.send(`${sent.slice(cut)}${plain}`);
      await client.until(() => statusesOf(client.received).length === 2);
      expect(given.origin.taken()).toEqual({ requests: [sent, plain], fragments: [] });
      client.destroy();
    }
  });
});

describe('a switch of protocols', () => {
  const UPGRADE = get('connection: Upgrade\r\nupgrade: websocket, Echo/1\r\n');
  const OK = 'HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 2\r\n\r\nok';
  const cases: readonly (readonly [name: string, sent: string, answer: string, status: number])[] =
    [
      [
        'to what was asked for',
        UPGRADE,
        'HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: echo/1\r\n\r\n',
        101,
      ],
      [
        'to the first that was asked for',
        UPGRADE,
        'HTTP/1.1 101 Go\r\nupgrade: WebSocket\r\n\r\n',
        101,
      ],
      ['to something else', UPGRADE, 'HTTP/1.1 101 Go\r\nupgrade: h2c\r\n\r\n', 502],
      ['to a part of a name', UPGRADE, 'HTTP/1.1 101 Go\r\nupgrade: socket\r\n\r\n', 502],
      ['to nothing', UPGRADE, 'HTTP/1.1 101 Go\r\n\r\n', 502],
      ['to an empty name', UPGRADE, 'HTTP/1.1 101 Go\r\nupgrade:\r\n\r\n', 502],
      [
        'that is said twice',
        UPGRADE,
        'HTTP/1.1 101 Go\r\nupgrade: echo/1\r\nupgrade: websocket\r\n\r\n',
        502,
      ],
      ['that was not asked for', plain, 'HTTP/1.1 101 Go\r\nupgrade: websocket\r\n\r\n', 502],
      [
        'that is declined',
        UPGRADE,
        'HTTP/1.1 426 No\r\nupgrade: websocket\r\ncontent-length: 0\r\n\r\n',
        426,
      ],
    ];
  it.each(cases)('%s', async (_, sent, answer, status) => {
    given.origin.answer = answer;
    const client = await given.connect();
    client.send(sent);
    await client.until(() => statusesOf(client.received).length === 1);
    expect(statusesOf(client.received)).toEqual([status]);
    given.origin.answer = OK;
    client.destroy();
  });
});
