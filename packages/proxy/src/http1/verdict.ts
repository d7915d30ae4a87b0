/**
 * What a parser says of the bytes so far. Plain numbers, because one is returned per read: 0 and 1 for the good cases,
 * the others index {@link PROBLEMS}.
 */

/** All is well so far, and more bytes are needed. */
export const INCOMPLETE = 0;
/** The head or body is complete. */
export const COMPLETE = 1;

/** What is wrong with a message. A request is answered with `status`; a response of the kind is answered with 502. */
export interface Problem {
  readonly status: 400 | 414 | 417 | 431 | 501 | 505;
  /** For logs and metrics: which rule was broken. */
  readonly text: string;
}

/** Numbers of the problems. */
export const Bad = {
  requestLine: 2,
  method: 3,
  target: 4,
  targetTooLong: 5,
  version: 6,
  versionMajor: 7,
  statusLine: 8,
  fieldName: 9,
  fieldValue: 10,
  foldedLine: 11,
  lineEnd: 12,
  headTooLarge: 13,
  tooManyFields: 14,
  contentLength: 15,
  contentLengthTwice: 16,
  transferEncoding: 17,
  transferCoding: 18,
  lengthAndChunked: 19,
  chunkedBefore11: 20,
  hostMissing: 21,
  hostTwice: 22,
  host: 23,
  connection: 24,
  expectation: 25,
  chunkSize: 26,
  chunkExtension: 27,
  chunkEnd: 28,
  trailer: 29,
  trailersTooLarge: 30,
  methodTooLong: 31,
  maxForwards: 32,
} as const;

/** By number. RFC 9112 unless another one is named. */
export const PROBLEMS: readonly (Problem | undefined)[] = tableOf([
  [Bad.requestLine, 400, 'request line is not "method SP target SP version" (section 3)'],
  [Bad.method, 400, 'method is not a token (section 3.1)'],
  [Bad.methodTooLong, 501, 'method is longer than any known one (section 3.1)'],
  [Bad.target, 400, 'request target holds a forbidden byte or has a wrong form (section 3.2)'],
  [Bad.targetTooLong, 414, 'request target is longer than the limit (section 3)'],
  [Bad.version, 400, 'version is not HTTP/DIGIT.DIGIT (section 2.3)'],
  [Bad.versionMajor, 505, 'major version is not 1 (RFC 9110 section 15.6.6)'],
  [Bad.statusLine, 400, 'status line is not "version SP status SP reason" (section 4)'],
  [Bad.fieldName, 400, 'field name is not a token right before its colon (section 5.1)'],
  [Bad.fieldValue, 400, 'field value holds a control byte (RFC 9110 section 5.5)'],
  [Bad.foldedLine, 400, 'field line begins with white space (section 5.2)'],
  [Bad.lineEnd, 400, 'line does not end in CR LF (section 2.2)'],
  [Bad.headTooLarge, 431, 'head is larger than the limit (RFC 6585 section 5)'],
  [Bad.tooManyFields, 431, 'head has more field lines than the limit (RFC 6585 section 5)'],
  [Bad.contentLength, 400, 'content-length is not a number of bytes (section 6.3)'],
  [Bad.contentLengthTwice, 400, 'content-length is there twice (section 6.3)'],
  [Bad.transferEncoding, 400, 'transfer-encoding is there twice or empty (section 6.1)'],
  [Bad.transferCoding, 501, 'transfer coding is not exactly "chunked" (section 6.1)'],
  [Bad.lengthAndChunked, 400, 'content-length beside transfer-encoding (section 6.3)'],
  [Bad.chunkedBefore11, 400, 'transfer-encoding in a message of HTTP/1.0 (section 6.1)'],
  [Bad.hostMissing, 400, 'host is missing (section 3.2)'],
  [Bad.hostTwice, 400, 'host is there twice (section 3.2)'],
  [Bad.host, 400, 'host is not a host name or address with a port (section 3.2)'],
  [Bad.connection, 400, 'connection holds something that is not a token (RFC 9110 section 7.6.1)'],
  [Bad.expectation, 417, 'expectation is not "100-continue" (RFC 9110 section 10.1.1)'],
  [Bad.maxForwards, 400, 'max-forwards is not one number (RFC 9110 section 7.6.2)'],
  [Bad.chunkSize, 400, 'chunk size is not a hexadecimal number (section 7.1)'],
  [Bad.chunkExtension, 400, 'chunk extension holds a control byte or is too long (section 7.1.1)'],
  [Bad.chunkEnd, 400, 'chunk does not end in CR LF (section 7.1)'],
  [Bad.trailer, 400, 'trailer section is not made of field lines (section 7.1.2)'],
  [Bad.trailersTooLarge, 431, 'trailer section is larger than the limit (RFC 6585 section 5)'],
]);

function tableOf(
  rows: readonly (readonly [number, Problem['status'], string])[],
): (Problem | undefined)[] {
  const table: (Problem | undefined)[] = [];
  for (const [number, status, text] of rows) table[number] = { status, text };
  return table;
}

/** The problem behind a verdict. @returns undefined for the good ones */
export function problemOf(verdict: number): Problem | undefined {
  return PROBLEMS[verdict];
}
