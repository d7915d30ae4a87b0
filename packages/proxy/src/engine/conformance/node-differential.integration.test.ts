/**
 * Thousands of mutated requests, read by this proxy's parser and by Node's. That both take the same bytes for the same
 * messages is the rule; every exception has to stand in one of two tables, with its reason, and anything else fails.
 */
import { createRandom } from '@evenkeel/core';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { duplexPair } from 'node:stream';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { bodyKindOf, BodyPump } from '../../http1/body-pump.ts';
import { RequestHead } from '../../http1/request-head.ts';
import { COMPLETE, INCOMPLETE, problemOf } from '../../http1/verdict.ts';
import { Output } from '../../socket/output.ts';

/** What a parser makes of some bytes. */
interface Reading {
  /** Method, target and body of each whole message. */
  readonly messages: string[];
  /** Why it read no further: '' at the end of the bytes or of the connection, `more`, or what is wrong. */
  end: string;
}

function ours(bytes: Buffer): Reading {
  const reading: Reading = { messages: [], end: '' };
  const head = new RequestHead();
  const pump = new BodyPump();
  let at = 0;
  while (at < bytes.length) {
    const verdict = head.read(bytes, at, bytes.length);
    if (verdict !== COMPLETE) {
      // Empty lines before a request that never comes are no request.
      const isNothing = /^(?:\r\n)*\r?$/.test(bytes.toString('latin1', at));
      reading.end =
        verdict !== INCOMPLETE ? (problemOf(verdict)?.text ?? '?') : isNothing ? '' : 'more';
      return reading;
    }
    const line = bytes.toString('latin1', head.from, head.targetTo);
    const { chunked, contentLength } = head.semantics;
    pump.begin(bodyKindOf(chunked, contentLength), contentLength, false);
    const output = new Output().begin();
    at = pump.done ? head.end : pump.pump(bytes, head.end, bytes.length, output);
    if (pump.problem !== 0 || !pump.done) {
      reading.end = pump.problem !== 0 ? (problemOf(pump.problem)?.text ?? '?') : 'more';
      return reading;
    }
    reading.messages.push(`${line} ${output.take().toString('latin1')}`);
    if (!head.keepsConnection) return reading;
  }
  return reading;
}

/** What Node calls an end that is none of a message's fault. */
const NODE_END: Readonly<Record<string, string>> = {
  HPE_INVALID_EOF_STATE: 'more',
  HPE_CLOSED_CONNECTION: '',
  ECONNRESET: 'more',
};

async function nodes(bytes: Buffer): Promise<Reading> {
  const reading: Reading = { messages: [], end: '' };
  const [client, socket] = duplexPair();
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
    request.on('end', () => {
      reading.messages.push(`${request.method} ${request.url} ${body}`);
      response.writeHead(204).end();
    });
    request.on('error', () => (reading.end ||= 'more'));
  };
  const server = http.createServer(
    { insecureHTTPParser: false, joinDuplicateHeaders: false },
    take,
  );
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('checkContinue', take).on('checkExpectation', take);
  server.on('clientError', (error: Error & { code?: string }, side) => {
    const code = error.code ?? error.message;
    reading.end = NODE_END[code] ?? code;
    // What came before it is still on its way.
    setImmediate(() => side.destroy());
  });
  let answer = '';
  client.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  client.on('error', () => undefined);
  const closed = once(socket, 'close');
  server.emit('connection', socket);
  client.end(bytes);
  await closed;
  // Without an event: it has no host.
  if (reading.end === '' && answer.includes(' 400 Bad Request')) reading.end = 'host';
  return reading;
}

/** Rules that Node does not have, by what is wrong: why they are kept. */
const STRICTER: Readonly<Record<string, string>> = {
  'expectation is not "100-continue" (RFC 9110 section 10.1.1)':
    'Node leaves it to the program; nobody behind a proxy could meet an expectation that it does not know.',
  'host is not a host name or address with a port (section 3.2)':
    'Node takes any value; endpoints choose sites by it, and read what is odd in different ways.',
  'host is there twice (section 3.2)':
    'Node takes the first; another program may take the last, and RFC 9112 section 3.2 asks for 400.',
  'host is missing (section 3.2)':
    'Node refuses that request as well, but goes on with the next one on the connection.',
  'connection holds something that is not a token (RFC 9110 section 7.6.1)':
    'Node reads what it knows and passes over the rest; a proxy has to remove what is named there.',
  'request target holds a forbidden byte or has a wrong form (section 3.2)':
    'Node takes any bytes above SP; where a path ends decides about routes and about access.',
  'request line is not "method SP target SP version" (section 3)':
    'Node takes a line without a version for HTTP/0.9, whose responses have no head.',
  'line does not end in CR LF (section 2.2)':
    'Node passes over an LF alone before a request; here that is CR LF or nothing.',
  'version is not HTTP/DIGIT.DIGIT (section 2.3)':
    'Node passes over further spaces before the version; with them, programs see different targets.',
  'max-forwards is not one number (RFC 9110 section 7.6.2)':
    'Node is no proxy, and does not look at it.',
};

/** Rules of Node that say no before a message is whole, and the moment that the same is said here. */
const SOONER: Readonly<Record<string, string>> = {
  HPE_INVALID_METHOD:
    'Letters that begin no method that Node knows; here any token is one, once it is whole.',
  HPE_INVALID_CONTENT_LENGTH: 'At its line; here when the head is whole, before any of it is used.',
  HPE_INVALID_TRANSFER_ENCODING: 'Beside a length, at its line; here when the head is whole.',
};

/** Rules of Node that are none of ours: why nothing can come of that. */
const LAXER: Readonly<Record<string, string>> = {
  HPE_INVALID_METHOD:
    'A list of methods; here any token is one, and the endpoint decides (RFC 9110 section 9.1).',
  HPE_STRICT: 'The grammar of chunk extensions; here visible bytes, and they end at this proxy.',
};

const HOST = 'Host: a.example\r\n';
const SEEDS: readonly string[] = [
  `GET / HTTP/1.1\r\n${HOST}\r\n`,
  `GET /a?b=c HTTP/1.1\r\n${HOST}Accept: */*\r\nCookie: a=b; c=d\r\n\r\n`,
  `GET http://b.example/x HTTP/1.1\r\n${HOST}\r\n`,
  `OPTIONS * HTTP/1.1\r\n${HOST}Max-Forwards: 3\r\n\r\n`,
  `HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`,
  `POST /p HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`,
  `POST /p HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `PUT /p HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nX: 1\r\n\r\n`,
  `PUT /p HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi`,
  `GET /1 HTTP/1.1\r\n${HOST}\r\nPOST /2 HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\n${HOST}\r\n`,
  `POST /1 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
];

const PIECES: readonly string[] = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    ' ',
    '\t',
    '\0',
    '\x0b',
    '\x7f',
    '\x80',
    '\xff',
    ':',
    ';',
    ',',
  ],
  ...[
    '+',
    '-',
    '0',
    '1',
    '5',
    'f',
    '"',
    '\\',
    '/',
    '#',
    '*',
    '0x',
    ' \r\n',
    '\r\n ',
    '\n\n',
    ';x=y',
  ],
  ...['Content-Length: 5\r\n', 'Content-Length: 0\r\n', 'Transfer-Encoding: chunked\r\n', HOST],
  ...['Transfer-Encoding: gzip\r\n', 'transfer-encoding : chunked\r\n', 'Connection: close\r\n'],
  ...[
    'Connection: a b\r\n',
    'X: y\r\n',
    'X:\r\n',
    ' X: y\r\n',
    ', chunked',
    'chunked, ',
    'HTTP/1.0',
  ],
  ...[
    '0\r\n\r\n',
    '1\r\nx\r\n',
    'Content_Length: 9\r\n',
    'Expect: tea\r\n',
    'Host: b\r\n',
    'Host:\r\n',
  ],
];

/** @param below a random whole number below its argument */
function mutate(text: string, below: (limit: number) => number): string {
  const at = below(text.length + 1);
  const length = 1 + below(below(4) === 0 ? 20 : 2);
  const piece = PIECES[below(PIECES.length)] as string;
  switch (below(5)) {
    case 0:
      return text.slice(0, at) + text.slice(at + length);
    case 1:
      return text.slice(0, at + length) + text.slice(at);
    case 2:
      return text.slice(0, at) + piece + text.slice(at + length);
    case 3: {
      // At the beginning of a line, where it means most.
      const line = text.indexOf('\r\n', at);
      return line < 0 ? text : text.slice(0, line + 2) + piece + text.slice(line + 2);
    }
    default:
      return text.slice(0, at) + piece + text.slice(at);
  }
}

/** @returns '' if they agree, else the kind of difference */
function difference(mine: Reading, theirs: Reading): string {
  const common = Math.min(mine.messages.length, theirs.messages.length);
  for (let index = 0; index < common; index++)
    if (mine.messages[index] !== theirs.messages[index])
      return `not the same message: ${mine.messages[index]} / ${theirs.messages[index]}`;
  const weStop = mine.end !== '' && mine.end !== 'more';
  const nodeStops = theirs.end !== '' && theirs.end !== 'more';
  if (mine.messages.length === theirs.messages.length && weStop === nodeStops)
    return weStop || mine.end === theirs.end ? '' : `ends: ${mine.end} / ${theirs.end}`;
  if (theirs.messages.length >= mine.messages.length && weStop) return `we: ${mine.end}`;
  if (mine.messages.length > theirs.messages.length && nodeStops) return `Node: ${theirs.end}`;
  // Nothing is taken, and it depends on what comes.
  if (mine.messages.length === theirs.messages.length && nodeStops && mine.end === 'more')
    return `Node, sooner: ${theirs.end}`;
  return `messages: ${mine.messages.length} ${mine.end} / ${theirs.messages.length} ${theirs.end}`;
}

const COUNT = 6_000;

describe(`${COUNT} mutated requests`, () => {
  it('are the same to Node, or differ for a reason that is written down', async () => {
    const random = createRandom(20_261_121);
    const below = (limit: number): number => (random.nextInt32() >>> 0) % limit;
    const known = new Set([
      ...Object.keys(STRICTER).map((rule) => `we: ${rule}`),
      ...Object.keys(SOONER).map((code) => `Node, sooner: ${code}`),
      ...Object.keys(LAXER).map((code) => `Node: ${code}`),
    ]);
    const unexplained = new Map<string, string>();
    const seen = new Set<string>();
    let agreed = 0;
    for (let index = 0; index < COUNT; index++) {
      let text = SEEDS[index % SEEDS.length] as string;
      for (let count = below(4); count >= 0; count--) text = mutate(text, below);
      const bytes = Buffer.from(text, 'latin1');
      const kind = difference(ours(bytes), await nodes(bytes));
      if (kind === '') agreed++;
      else if (known.has(kind)) seen.add(kind);
      else if (!unexplained.has(kind)) unexplained.set(kind, text);
    }
    expect(Object.fromEntries(unexplained)).toEqual({});
    // A reason that nothing needs is none.
    expect([...known].filter((kind) => !seen.has(kind))).toEqual([]);
    expect(agreed).toBeGreaterThan(COUNT / 2);
  });
});
