/** How the body of a request is delimited: the rules that requests are smuggled by. RFC 9112 sections 6 and 7. */
import { describe, expect, it } from 'vitest';
import {
  type Accepted,
  accepts,
  bench,
  type Refused,
  refuses,
} from '../test-support/conformance.ts';

const given = bench();

const post = (fields: string, body = '', line = 'POST / HTTP/1.1'): string =>
  `${line}\r\nhost: a\r\n${fields}\r\n${body}`;
/** What a smuggler adds: for whoever sees chunks an end and a request, for all others a body. */
const TAIL = '0\r\n\r\nGET /hidden HTTP/1.1\r\nx: y';
const coded = (name: string, line: string, status = 501): Refused => [
  name,
  post(`${line}\r\n`, TAIL),
  status,
];
const CHUNKED = 'transfer-encoding: chunked\r\n';

describe('a length', () => {
  const whole = post('content-length: 5\r\n', 'hello');
  accepts(given, [
    ['goes on', whole, whole],
    ['with white space', post('content-length: \t5 \r\n', 'hello'), whole],
    ['in capitals', post('CONTENT-LENGTH: 5\r\n', 'hello'), whole],
    ['with zeros in front', post('content-length: 005\r\n', 'hello'), whole],
    ['of nothing', post('content-length: 0\r\n'), post('content-length: 0\r\n')],
    [
      'of a GET',
      post('content-length: 5\r\n', 'hello', 'GET / HTTP/1.1'),
      post('content-length: 5\r\n', 'hello', 'GET / HTTP/1.1'),
    ],
    [
      'that connection names',
      post('content-length: 5\r\nconnection: content-length\r\n', 'hello'),
      whole,
    ],
    ['that is missing', post(''), post('')],
    [
      'of a body that looks like a request',
      post('content-length: 24\r\n', 'GET /hidden HTTP/1.1\r\n\r\n'),
      post('content-length: 24\r\n', 'GET /hidden HTTP/1.1\r\n\r\n'),
    ],
  ]);
  const bad = (name: string, value: string): Refused => [
    name,
    post(`content-length: ${value}\r\n`, 'hello'),
    400,
  ];
  refuses(given, [
    bad('that is empty', ''),
    bad('with a plus', '+5'),
    bad('with a minus', '-5'),
    bad('that is negative and overflows', '-18446744073709551611'),
    bad('in hexadecimal', '0x5'),
    bad('with hexadecimal digits', 'a'),
    bad('with a point', '5.0'),
    bad('with an exponent', '5e0'),
    bad('with a comma', '5,'),
    bad('that is a list of the same', '5, 5'),
    bad('that is a list of others', '5, 6'),
    bad('that is an empty list', ','),
    bad('with a space', '5 5'),
    bad('in quotes', '"5"'),
    bad('with a semicolon', '5;'),
    bad('with an underscore', '1_0'),
    bad('with other digits', '\xb2'),
    bad('that overflows 64 bits', '18446744073709551621'),
    bad('that overflows 53 bits', '9007199254740993'),
    bad('of many digits', '9'.repeat(400)),
    bad('of many zeros', `${'0'.repeat(30)}5`),
    bad('that is a word', 'chunked'),
    ['twice', post('content-length: 5\r\ncontent-length: 6\r\n', 'hello'), 400],
    ['twice the same', post('content-length: 5\r\nContent-Length: 5\r\n', 'hello'), 400],
    ['twice, once empty', post('content-length: 5\r\ncontent-length:\r\n', 'hello'), 400],
    [
      'twice on HTTP/1.0',
      post('content-length: 5\r\ncontent-length: 0\r\n', 'hello', 'POST / HTTP/1.0'),
      400,
    ],
  ]);
});

describe('a coding', () => {
  const chunks = (fields = CHUNKED, body = '5\r\nhello\r\n0\r\n\r\n'): string => post(fields, body);
  accepts(given, [
    ['goes on', chunks(), chunks()],
    ['in mixed case', chunks('TRANSFER-encoding: ChUnKeD\r\n'), chunks()],
    ['with white space', chunks('transfer-encoding: \t chunked \t\r\n'), chunks()],
    ['without white space', chunks('transfer-encoding:chunked\r\n'), chunks()],
    ['that connection names', chunks(`${CHUNKED}connection: transfer-encoding\r\n`), chunks()],
    ['of nothing', chunks(CHUNKED, '0\r\n\r\n'), chunks(CHUNKED, '0\r\n\r\n')],
  ]);
  refuses(given, [
    coded('with a length after it', `${CHUNKED}content-length: 4`, 400),
    coded('with a length before it', `content-length: 4\r\n${CHUNKED.trim()}`, 400),
    coded('with a length of nothing', `content-length: 0\r\n${CHUNKED.trim()}`, 400),
    coded('twice', `${CHUNKED}${CHUNKED.trim()}`, 400),
    coded('twice, once identity', `transfer-encoding: identity\r\n${CHUNKED.trim()}`, 400),
    coded('twice, once of cow', `${CHUNKED}Transfer-encoding: cow`, 400),
    coded('that is empty', 'transfer-encoding:', 400),
    ['on HTTP/1.0', post(CHUNKED, TAIL, 'POST / HTTP/1.0'), 400],
    [
      'on HTTP/1.0 that stays',
      post(`${CHUNKED}connection: keep-alive\r\n`, TAIL, 'POST / HTTP/1.0'),
      400,
    ],
    coded('identity', 'transfer-encoding: identity'),
    coded('gzip', 'transfer-encoding: gzip'),
    coded('gzip, chunked', 'transfer-encoding: gzip, chunked'),
    coded('chunked, gzip', 'transfer-encoding: chunked, gzip'),
    coded('chunked, identity', 'transfer-encoding: chunked, identity'),
    coded('identity, chunked', 'transfer-encoding: identity, chunked'),
    coded('chunked, chunked', 'transfer-encoding: chunked, chunked'),
    coded('chunked with a comma', 'transfer-encoding: chunked,'),
    coded('a comma and chunked', 'transfer-encoding: ,chunked'),
    coded('xchunked', 'transfer-encoding: xchunked'),
    coded('chunkedx', 'transfer-encoding: chunkedx'),
    coded('chunke', 'transfer-encoding: chunke'),
    coded('x chunked', 'transfer-encoding: x chunked'),
    coded('chunked in quotes', 'transfer-encoding: "chunked"'),
    coded('chunked in single quotes', "transfer-encoding: 'chunked'"),
    coded('chunked with a parameter', 'transfer-encoding: chunked;foo=bar'),
    coded('chunked with a semicolon', 'transfer-encoding: chunked;'),
    coded('chunked with a colon', 'transfer-encoding:: chunked'),
    coded('chunked with a Kelvin sign', 'transfer-encoding: chun\xe2\x84\xaaed'),
    coded('chunked with a byte that a mask makes right', 'transfer-encoding: \x83hunked'),
    coded('chunked with a no-break space', 'transfer-encoding: \xa0chunked'),
    coded('a backslash', 'transfer-encoding: \\chunked'),
    coded('a vertical tab before it', 'transfer-encoding: \x0bchunked', 400),
    coded('a form feed after it', 'transfer-encoding: chunked\x0c', 400),
    coded('NUL after it', 'transfer-encoding: chunked\0', 400),
    coded('a bare CR before it', 'transfer-encoding: \rchunked', 400),
    coded('a bare LF before it', 'transfer-encoding:\n chunked', 400),
    coded('on a folded line', 'transfer-encoding:\r\n chunked', 400),
    coded('on a line folded by a tab', 'transfer-encoding:\r\n\tchunked', 400),
    coded('a space before the colon', 'transfer-encoding : chunked', 400),
    coded('a space before the name', ' transfer-encoding: chunked', 400),
    coded('a byte before the name', '\xfftransfer-encoding: chunked', 400),
    coded('DEL in the name', 'transfer\x7fencoding: chunked', 400),
    coded('behind a bare CR', 'x: y\rtransfer-encoding: chunked', 400),
    coded('behind a bare LF', 'x: y\ntransfer-encoding: chunked', 400),
    coded('behind an empty name', ': y\r\ntransfer-encoding: chunked', 400),
  ]);
  accepts(given, [
    [
      'by a name with an underscore frames nothing, and goes nowhere',
      post('transfer_encoding: chunked\r\ncontent-length: 2\r\n', 'hi'),
      post('content-length: 2\r\n', 'hi'),
    ],
    [
      'and a length with an underscore, too',
      post('content_length: 9\r\ncontent-length: 2\r\n', 'hi'),
      post('content-length: 2\r\n', 'hi'),
    ],
  ]);
});

const chunked = (body: string): string => post(CHUNKED, body);
const HELLO = chunked('5\r\nhello\r\n0\r\n\r\n');
const made = (name: string, body: string, reached = HELLO): Accepted => [
  name,
  chunked(body),
  reached,
];
const broken = (name: string, body: string, status = 400): Refused => [name, chunked(body), status];

describe('chunks', () => {
  accepts(given, [
    made('with zeros in front', '0005\r\nhello\r\n000\r\n\r\n'),
    made('with an extension', '5;a=b\r\nhello\r\n0\r\n\r\n'),
    made('with an extension in quotes', '5;a="b;c"\r\nhello\r\n0;x\r\n\r\n'),
    made('with an extension without a name', '5;\r\nhello\r\n0\r\n\r\n'),
    made('with an extension of white space', '5; \t\r\nhello\r\n0\r\n\r\n'),
    made(
      'with digits in both cases',
      'a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n',
      chunked('a\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n'),
    ),
    made(
      'that hold line ends',
      '5\r\n\r\n0\r\n\r\n0\r\n\r\n',
      chunked('5\r\n\r\n0\r\n\r\n0\r\n\r\n'),
    ),
    made(
      'with trailers',
      '5\r\nhello\r\n0\r\nx: 1\r\ny: 2\r\n\r\n',
      chunked('5\r\nhello\r\n0\r\nx: 1\r\ny: 2\r\n\r\n'),
    ),
    made(
      'with trailers that frame, route or authenticate',
      '5\r\nhello\r\n0\r\ncontent-length: 9\r\nTransfer-Encoding: gzip\r\nhost: b\r\nconnection: close\r\n' +
        'authorization: x\r\ncookie: y\r\nx-forwarded-for: z\r\ncontent-type: t\r\nte: x\r\n' +
        'Content-Encoding: gzip\r\nx_forwarded_host: b\r\nset-cookie: a=b\r\nx: 1\r\n\r\n',
      chunked('5\r\nhello\r\n0\r\nx: 1\r\n\r\n'),
    ),
  ]);
  refuses(given, [
    broken('without a size', '\r\nhello\r\n0\r\n\r\n'),
    broken('with a sign', '+5\r\nhello\r\n0\r\n\r\n'),
    broken('with a minus', '-5\r\nhello\r\n0\r\n\r\n'),
    broken('with 0x', '0x5\r\nhello\r\n0\r\n\r\n'),
    broken('with a letter', '5g\r\nhello\r\n0\r\n\r\n'),
    broken('with a space before the size', ' 5\r\nhello\r\n0\r\n\r\n'),
    broken('with a space after the size', '5 \r\nhello\r\n0\r\n\r\n'),
    broken('with a tab after the size', '5\t\r\nhello\r\n0\r\n\r\n'),
    broken('with a space before an extension', '5 ;a=b\r\nhello\r\n0\r\n\r\n'),
    broken('with an underscore', '0_5\r\nhello\r\n0\r\n\r\n'),
    broken('with a comma', '5,\r\nhello\r\n0\r\n\r\n'),
    broken('with a point', '5.0\r\nhello\r\n0\r\n\r\n'),
    broken('with NUL', '5\0\r\nhello\r\n0\r\n\r\n'),
    broken('with a size in quotes', '"5"\r\nhello\r\n0\r\n\r\n'),
    broken('with a size that overflows 64 bits', '10000000000000005\r\nhello\r\n0\r\n\r\n'),
    broken('with a size that overflows 53 bits', '20000000000005\r\nhello\r\n0\r\n\r\n'),
    broken('with many zeros', `${'0'.repeat(40)}5\r\nhello\r\n0\r\n\r\n`),
    broken('with a bare LF after the size', '5\nhello\r\n0\r\n\r\n'),
    broken('with a bare CR after the size', '5\rhello\r\n0\r\n\r\n'),
    broken('with CR CR LF after the size', '5\r\r\nhello\r\n0\r\n\r\n'),
    broken('with a bare LF in an extension', '5;a\nhello\r\n0\r\n\r\n'),
    broken('with a bare CR in an extension', '5;a\rb\r\nhello\r\n0\r\n\r\n'),
    broken('with NUL in an extension', '5;a\0\r\nhello\r\n0\r\n\r\n'),
    broken('with an extension of 257 bytes', `5;${'a'.repeat(257)}\r\nhello\r\n0\r\n\r\n`),
    broken('with a body that is too long', '5\r\nhello!\r\n0\r\n\r\n'),
    broken('with a body that is too short', '5\r\nhell\r\n0\r\n\r\n'),
    broken('without a line end after the data', '5\r\nhello0\r\n\r\n'),
    broken('with a bare LF after the data', '5\r\nhello\n0\r\n\r\n'),
    broken('with a bare CR after the data', '5\r\nhello\r0\r\n\r\n'),
    broken('with two bytes where the line end is', '5\r\nhelloXX0\r\n\r\n'),
    broken('with a bare LF after the last size', '5\r\nhello\r\n0\n\r\n'),
    broken('with a bare LF at the end', '5\r\nhello\r\n0\r\n\n'),
    broken('with a bare LF in a trailer', '5\r\nhello\r\n0\r\nx: 1\n\r\n'),
    broken('with a folded trailer', '5\r\nhello\r\n0\r\nx: 1\r\n y\r\n\r\n'),
    broken('with a trailer without a colon', '5\r\nhello\r\n0\r\nx\r\n\r\n'),
    broken('with a space before the colon of a trailer', '5\r\nhello\r\n0\r\nx : 1\r\n\r\n'),
    broken('with a trailer of 9,000 bytes', `0\r\nx: ${'y'.repeat(9_000)}\r\n\r\n`, 431),
    broken('with 33 trailers', `0\r\n${'x: y\r\n'.repeat(33)}\r\n`, 431),
  ]);

  it('that break a rule after the endpoint was asked cost both connections', async () => {
    given.origin.taken();
    const client = await given.connect();
    client.send(chunked('5\r\nhello\r\n'));
    await expect.poll(() => given.proxy.stats.counters.requestCount).toBeGreaterThan(0);
    const before = given.proxy.stats.counters.badRequestCount;
    await expect.poll(() => given.cluster.snapshot().totals.activeCount).toBe(1);
    client.send('zz\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n');
    await client.untilEnd();
    expect(client.received).toMatch(/^HTTP\/1\.1 400 /);
    expect(given.proxy.stats.counters.badRequestCount).toBe(before + 1);
    await expect.poll(() => given.origin.fragments).toEqual([chunked('5\r\nhello\r\n')]);
    expect(given.origin.requests).toEqual([]);
  });
});
