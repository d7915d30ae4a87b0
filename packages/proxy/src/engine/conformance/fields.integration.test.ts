/** Field lines and `host`. RFC 9112 sections 2.2, 3.2 and 5, RFC 9110 sections 5 and 7.2. */
import { describe } from 'vitest';
import {
  type Accepted,
  accepts,
  bench,
  type Refused,
  refuses,
} from '../test-support/conformance.ts';

const given = bench();

/** A request with this field line. */
const withLine = (line: string): string => `GET / HTTP/1.1\r\nhost: a\r\n${line}\r\n\r\n`;
const same = (name: string, line: string): Accepted => [name, withLine(line), withLine(line)];
const bad = (name: string, line: string, status = 400): Refused => [name, withLine(line), status];
const lines = (count: number): string =>
  Array.from({ length: count }, (_, at) => `x-${at}: y`).join('\r\n');

describe('field lines that go on as they are', () => {
  accepts(given, [
    same('no white space', 'x:1'),
    same('white space around the value', 'x: \t 1 \t '),
    same('an empty value', 'x:'),
    same('a value of white space', 'x:  \t '),
    same('bytes above 127', 'x: \x80\xe4\xff'),
    same('a tab within the value', 'x: a\tb'),
    same('a name of all signs', "!#$%&'*+-.^_`|~09aZ: 1"),
    same('colons in the value', 'x: a:b: c'),
    same('quotes that do not close', 'x: "a'),
    same('one name twice', 'x: 1\r\nX: 2'),
    same('a cookie with anything in it', 'cookie: a=b; c="d"; =; e'),
    same('99 lines beside host', lines(99)),
    same('a value of 8,000 bytes', `x: ${'y'.repeat(8_000)}`),
    same('a name of 200 bytes', `${'x'.repeat(200)}: y`),
    same('what may follow a field line only in name', 'transfer-encoding-x: chunked'),
  ]);
});

describe('field lines that are refused', () => {
  refuses(given, [
    bad('a space before the colon', 'x : 1'),
    bad('a tab before the colon', 'x\t: 1'),
    bad('a space before the colon of transfer-encoding', 'transfer-encoding : chunked'),
    bad('a space before the colon of content-length', 'content-length : 5'),
    bad('a vertical tab before the colon', 'transfer-encoding\x0b: chunked'),
    bad('NUL before the colon', 'content-length\0: 5'),
    bad('no name', ': 1'),
    bad('no colon', 'x'),
    bad('a space in the name', 'x y: 1'),
    bad('a name in quotes', '"x": 1'),
    bad('a bracket in the name', 'x[]: 1'),
    bad('a delimiter in the name', 'x/y: 1'),
    bad('a byte above 127 in the name', 'x\xe4: 1'),
    bad('NUL in the name', 'x\0: 1'),
    bad('a control byte in the name', 'x\x01: 1'),
    bad('DEL in the name', 'x\x7f: 1'),
    bad('NUL in the value', 'x: a\0b'),
    bad('a control byte in the value', 'x: a\x01b'),
    bad('a backspace in the value', 'x: a\x08b'),
    bad('a vertical tab in the value', 'x: a\x0bb'),
    bad('a form feed in the value', 'x: a\x0cb'),
    bad('ESC in the value', 'x: a\x1bb'),
    bad('DEL in the value', 'x: a\x7fb'),
    bad('a bare CR in the value', 'x: a\rb'),
    bad('a bare CR at the end of the value', 'x: a\r'),
    bad('a bare LF in the value', 'x: a\nb: c'),
    bad('a bare LF before a line that frames', 'x: a\ntransfer-encoding: chunked'),
    bad('a bare CR before a line that frames', 'x: a\rtransfer-encoding: chunked'),
    bad('a folded line', 'x: a\r\n b'),
    bad('a line folded by a tab', 'x: a\r\n\tb'),
    bad('a folded line of white space', 'x: a\r\n \r\ny: 1'),
    ['a folded line first', 'GET / HTTP/1.1\r\n x: 1\r\nhost: a\r\n\r\n', 400],
    ['an empty line of LF', 'GET / HTTP/1.1\r\nhost: a\r\n\n', 400],
    ['an empty line of CR', 'GET / HTTP/1.1\r\nhost: a\r\n\rx', 400],
    bad('100 lines beside host', lines(100), 431),
    bad('1,000 lines', lines(1_000), 431),
    bad('a value of 17,000 bytes', `x: ${'y'.repeat(17_000)}`, 431),
    bad('a name of 17,000 bytes', `${'x'.repeat(17_000)}: y`, 431),
    bad('a value of 70,000 bytes', `x: ${'y'.repeat(70_000)}`, 431),
  ]);
});

const hosted = (fields: string, line = 'GET / HTTP/1.1'): string => `${line}\r\n${fields}\r\n`;
const sameHost = (name: string, fields: string): Accepted => [name, hosted(fields), hosted(fields)];

describe('host', () => {
  accepts(given, [
    sameHost('in capitals', 'HOST: A.EXAMPLE\r\n'),
    sameHost('with a port', 'host: a.example:8080\r\n'),
    sameHost('with an empty port', 'host: a.example:\r\n'),
    sameHost('that is an address', 'host: 192.0.2.1:80\r\n'),
    sameHost('that is an address of IPv6', 'host: [2001:db8::1]:80\r\n'),
    sameHost('with an underscore', 'host: a_b.example\r\n'),
    sameHost('that is empty', 'host:\r\n'),
    sameHost('that connection names', 'host: a\r\n'),
    ['that connection names', hosted('host: a\r\nconnection: host\r\n'), hosted('host: a\r\n')],
    ['after other fields', hosted('x: 1\r\nhost: a\r\n'), hosted('x: 1\r\nhost: a\r\n')],
  ]);
  refuses(given, [
    ['that is missing', hosted('x: 1\r\n'), 400],
    ['that is missing, with nothing else there', hosted(''), 400],
    ['that is missing beside an absolute target', hosted('', 'GET http://b/ HTTP/1.1'), 400],
    ['twice', hosted('host: a\r\nhost: b\r\n'), 400],
    ['twice the same', hosted('host: a\r\nhost: a\r\n'), 400],
    ['twice on HTTP/1.0', hosted('host: a\r\nHost: b\r\n', 'GET / HTTP/1.0'), 400],
    [
      'twice beside an absolute target',
      hosted('host: a\r\nhost: b\r\n', 'GET http://b/ HTTP/1.1'),
      400,
    ],
    ['that is a list', hosted('host: a, b\r\n'), 400],
    ['with a space', hosted('host: a b\r\n'), 400],
    ['with a path', hosted('host: a/b\r\n'), 400],
    ['with a query', hosted('host: a?b\r\n'), 400],
    ['with a fragment', hosted('host: a#b\r\n'), 400],
    ['with a user', hosted('host: u@a\r\n'), 400],
    ['with a scheme', hosted('host: http://a\r\n'), 400],
    ['with percent-encoding', hosted('host: %61\r\n'), 400],
    ['with a backslash', hosted('host: a\\b\r\n'), 400],
    ['with a bracket that does not close', hosted('host: [::1\r\n'), 400],
    ['with a bracket in a name', hosted('host: a[::1]\r\n'), 400],
    ['with a zone', hosted('host: [fe80::1%eth0]\r\n'), 400],
    ['with a port of letters', hosted('host: a:x\r\n'), 400],
    ['with a port that is too large', hosted('host: a:65536\r\n'), 400],
    ['with a negative port', hosted('host: a:-1\r\n'), 400],
    ['with two ports', hosted('host: a:1:2\r\n'), 400],
    ['that is a port', hosted('host: :80\r\n'), 400],
    ['with bytes above 127', hosted('host: \xe4.example\r\n'), 400],
    ['with a comma', hosted('host: a,\r\n'), 400],
    ['that is too long', hosted(`host: ${'a'.repeat(262)}\r\n`), 400],
    ['that is empty beside an absolute target', hosted('host:\r\n', 'GET http://b/ HTTP/1.1'), 400],
  ]);
});
