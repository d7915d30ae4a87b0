/**
 * The first message of a TLS client, as far as it has to be understood to see which server is wanted: bytes in, a verdict
 * and a name out. Everything here comes from strangers, so every length is checked against what contains it, and what is
 * kept is bounded.
 *
 * ```text
 *  record   22 | version 3.x | length | fragment          RFC 8446 section 5.1, any number of records
 *  message  1 | length (3 bytes) | body                   section 4, over all fragments
 *  body     version | random 32 | session | suites | compressions | extensions          section 4.1.2
 * ```
 */

/** What is known after some bytes. Everything but `incomplete` is final. */
export type HelloVerdict =
  | 'incomplete'
  /** A whole message; {@link ClientHelloReader.serverName} tells whom it is for. */
  | 'complete'
  /** It does not begin as TLS does. */
  | 'not-tls'
  /** It begins as TLS and breaks its rules, or is larger than any client has reason to be. */
  | 'malformed';

/** Bytes of the message. Those of browsers have about 2 KiB, with post-quantum key shares and all. */
export const MAX_HELLO_BYTES = 16_384;

/** Bytes on the wire with the headers of records: a message in fragments of 1 KiB or of 2 bytes, but not of 1 each. */
export const MAX_HELLO_WIRE_BYTES = 65_536;

const RECORD_HEADER_BYTES = 5;
/** RFC 8446 section 5.1. */
const MAX_FRAGMENT_BYTES = 16_384;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const MESSAGE_HEADER_BYTES = 4;
const SERVER_NAME = 0;
const HOST_NAME = 0;
const INITIAL_BYTES = 2_048;

/** RFC 6066 section 3: ASCII, no trailing dot. Underscores are seen in practice. */
const HOST = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i;
const MAX_HOST_CHARACTERS = 253;

export class ClientHelloReader {
  /** The name that is asked for, in lower case; undefined when there is none. Good after `complete`. */
  serverName: string | undefined = undefined;

  /** All that came, as it came. */
  #wire: Buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #wireBytes = 0;
  /** Up to here records have been taken apart. */
  #readTo = 0;
  /** Bytes of the record at hand that are still to come. */
  #fragmentLeft = 0;
  /** The message without the headers of records. */
  #message: Buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #messageBytes = 0;
  #verdict: HelloVerdict = 'incomplete';

  /** Everything that was pushed, whatever the verdict: what has to be sent on. */
  get bytes(): Buffer {
    return this.#wire.subarray(0, this.#wireBytes);
  }

  /** Takes bytes, which are copied. After a final verdict none may follow. */
  push(bytes: Buffer): HelloVerdict {
    this.#wire = withRoom(this.#wire, this.#wireBytes, bytes.length);
    bytes.copy(this.#wire, this.#wireBytes);
    this.#wireBytes += bytes.length;
    this.#verdict = this.#advance();
    if (this.#verdict === 'incomplete' && this.#wireBytes > MAX_HELLO_WIRE_BYTES)
      this.#verdict = 'malformed';
    return this.#verdict;
  }

  #advance(): HelloVerdict {
    for (;;) {
      if (this.#fragmentLeft === 0) {
        const verdict = this.#readRecordHeader();
        if (verdict !== undefined) return verdict;
      }
      const count = Math.min(this.#fragmentLeft, this.#wireBytes - this.#readTo);
      if (count === 0) return 'incomplete';
      const verdict = this.#addFragment(count);
      if (verdict !== undefined) return verdict;
    }
  }

  /** @returns undefined when a whole header was there and is good */
  #readRecordHeader(): HelloVerdict | undefined {
    const at = this.#readTo;
    const available = this.#wireBytes - at;
    const wire = this.#wire;
    const isFirst = at === 0;
    // Each byte is judged as it comes, so that nobody waits for the rest of something that is no TLS.
    if (available > 0 && wire[at] !== HANDSHAKE) return isFirst ? 'not-tls' : 'malformed';
    if (available > 1 && wire[at + 1] !== 3) return isFirst ? 'not-tls' : 'malformed';
    if (available < RECORD_HEADER_BYTES) return 'incomplete';
    const length = wire.readUInt16BE(at + 3);
    // Fragments of handshake messages are never empty (RFC 8446 section 5.1).
    if (length === 0 || length > MAX_FRAGMENT_BYTES) return 'malformed';
    this.#fragmentLeft = length;
    this.#readTo = at + RECORD_HEADER_BYTES;
    return undefined;
  }

  #addFragment(count: number): HelloVerdict | undefined {
    const from = this.#readTo;
    this.#message = withRoom(this.#message, this.#messageBytes, count);
    this.#wire.copy(this.#message, this.#messageBytes, from, from + count);
    this.#messageBytes += count;
    this.#readTo = from + count;
    this.#fragmentLeft -= count;
    const message = this.#message;
    if (message[0] !== CLIENT_HELLO) return 'malformed';
    if (this.#messageBytes < MESSAGE_HEADER_BYTES) return undefined;
    const end = MESSAGE_HEADER_BYTES + message.readUIntBE(1, 3);
    if (end > MAX_HELLO_BYTES) return 'malformed';
    if (this.#messageBytes < end) return undefined;
    const name = serverNameOf(message.subarray(MESSAGE_HEADER_BYTES, end));
    if (name === false) return 'malformed';
    this.serverName = name;
    return 'complete';
  }
}

/** @returns the name, undefined for none, false for a body that breaks a rule */
function serverNameOf(body: Buffer): string | undefined | false {
  // legacy_version, random
  let at = 2 + 32;
  const session = vectorEnd(body, at, { lengthBytes: 1, min: 0, max: 32 });
  if (session < 0) return false;
  const suites = vectorEnd(body, session, { lengthBytes: 2, min: 2, max: 65_534 });
  if (suites < 0 || (suites - session) % 2 !== 0) return false;
  const compressions = vectorEnd(body, suites, { lengthBytes: 1, min: 1, max: 255 });
  if (compressions < 0) return false;
  // TLS 1.2 allows for a message without extensions (RFC 5246 section 7.4.1.2).
  if (compressions === body.length) return undefined;
  const end = vectorEnd(body, compressions, { lengthBytes: 2, min: 0, max: 65_535 });
  if (end !== body.length) return false;
  at = compressions + 2;
  let name: string | undefined = undefined;
  let isSeen = false;
  while (at < end) {
    if (at + 4 > end) return false;
    const type = body.readUInt16BE(at);
    const to = vectorEnd(body, at + 2, { lengthBytes: 2, min: 0, max: 65_535 });
    if (to < 0) return false;
    if (type === SERVER_NAME) {
      // One of each type, at most (RFC 8446 section 4.2): two would let two readers see two names.
      const found = isSeen ? false : hostNameOf(body.subarray(at + 4, to));
      if (found === false) return false;
      isSeen = true;
      name = found;
    }
    at = to;
  }
  return name;
}

/** RFC 6066 section 3. @returns false for a list that breaks a rule */
function hostNameOf(extension: Buffer): string | undefined | false {
  if (vectorEnd(extension, 0, { lengthBytes: 2, min: 1, max: 65_535 }) !== extension.length)
    return false;
  let at = 2;
  let name: string | undefined = undefined;
  while (at < extension.length) {
    const to = vectorEnd(extension, at + 1, { lengthBytes: 2, min: 1, max: 65_535 });
    if (to < 0) return false;
    if (extension[at] === HOST_NAME) {
      const text = extension.toString('latin1', at + 3, to);
      if (name !== undefined || text.length > MAX_HOST_CHARACTERS || !HOST.test(text)) return false;
      name = text.toLowerCase();
    }
    at = to;
  }
  return name;
}

interface VectorBounds {
  readonly lengthBytes: 1 | 2;
  readonly min: number;
  readonly max: number;
}

/** Where a vector ends that begins with its length (RFC 8446 section 3.4); -1 if it does not fit. */
function vectorEnd(bytes: Buffer, at: number, { lengthBytes, min, max }: VectorBounds): number {
  if (at + lengthBytes > bytes.length) return -1;
  const length = bytes.readUIntBE(at, lengthBytes);
  const end = at + lengthBytes + length;
  return length < min || length > max || end > bytes.length ? -1 : end;
}

function withRoom(buffer: Buffer, used: number, more: number): Buffer {
  if (used + more <= buffer.length) return buffer;
  const larger = Buffer.allocUnsafe(2 * (used + more));
  buffer.copy(larger, 0, 0, used);
  return larger;
}
