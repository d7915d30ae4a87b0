/**
 * The fields of a request of HTTP/2 as a request head of HTTP/1.1, as the engine reads it (RFC 9113 section 8.3.1). It is
 * the engine that judges the request; here only that is kept out which HTTP/1.1 would read as something else.
 */
import { ascii, SLASH, SP, spells } from '../../http1/byte-class.ts';
import { Field } from '../../http1/known-field.ts';
import { type FieldBlock, Pseudo } from '../http2-stream.ts';
import { Framing } from './framing.ts';
import { GRPC_TYPE } from './grpc-refusal.ts';
import { HeadBuffer } from './head-buffer.ts';

const VERSION = ascii(' HTTP/1.1\r\n');
const HOST = ascii('host: ');
const COOKIE = ascii('cookie: ');
const COOKIE_SEPARATOR = ascii('; ');
const COLON_SP = ascii(': ');
const CRLF = ascii('\r\n');
const SPACE = ascii(' ');
const GET = ascii('GET');
const HEAD = ascii('head');
const OPTIONS = ascii('options');
const WEBSOCKET = ascii('websocket');
const CHUNKED = ascii('transfer-encoding: chunked\r\n');
const UPGRADE = 'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: ';
const ASTERISK = 0x2a;

/** What the words of a request became. One for all streams: used up before the next one is written. */
export class RequestHeadWriter {
  readonly head: HeadBuffer = new HeadBuffer();
  /** Of the request's body in HTTP/1.1. */
  framing: Framing = Framing.none;
  isHead = false;
  isGrpc = false;
  /** Is it an extended CONNECT, which becomes an upgrade (RFC 8441)? */
  isTunnel = false;

  /**
   * @param isEnd has the request no body?
   * @param newKey makes a `sec-websocket-key`: HTTP/2 has none
   * @returns false for a request that cannot be told in HTTP/1.1
   */
  write(block: FieldBlock, isEnd: boolean, newKey: () => string): boolean {
    const { bytes } = block;
    const head = this.head.begin();
    const method = block.pseudo(Pseudo.method);
    const path = block.pseudo(Pseudo.path);
    const authority = block.pseudo(Pseudo.authority);
    const protocol = block.pseudo(Pseudo.protocol);
    if (method < 0) return false;
    this.isTunnel = protocol >= 0;
    this.isHead = this.isGrpc = false;
    if (this.isTunnel) {
      // No other protocol is known to mean in HTTP/1.1 what it means here.
      if (isEnd || !isSpelled(block, protocol, WEBSOCKET)) return false;
      head.put(GET);
    } else {
      head.token(bytes, block.valueFrom(method), block.valueTo(method));
      this.isHead = isSpelled(block, method, HEAD);
    }
    head.put(SPACE);
    if (!this.#writeTarget(block, path, authority)) return false;
    head.put(VERSION);
    if (authority >= 0)
      head.put(HOST).value(bytes, block.valueFrom(authority), block.valueTo(authority)).put(CRLF);
    if (!this.#writeFields(block, authority)) return false;
    if (this.isTunnel) head.text(`${UPGRADE}${newKey()}\r\n`);
    this.framing = this.#framingOf(block, isEnd);
    if (this.framing === Framing.chunked) head.put(CHUNKED);
    head.put(CRLF);
    return !head.isBroken && !(isEnd && block.contentLength > 0);
  }

  #framingOf(block: FieldBlock, isEnd: boolean): Framing {
    if (this.isTunnel) return Framing.raw;
    if (isEnd) return Framing.none;
    return block.contentLength >= 0 ? Framing.length : Framing.chunked;
  }

  /** Origin form; CONNECT has its authority, and OPTIONS may have an asterisk. */
  #writeTarget(block: FieldBlock, path: number, authority: number): boolean {
    const { bytes } = block;
    const field = path < 0 ? authority : path;
    if (field < 0) return false;
    const from = block.valueFrom(field);
    const to = block.valueTo(field);
    if (path >= 0) {
      const isAsterisk =
        to - from === 1 &&
        bytes[from] === ASTERISK &&
        isSpelled(block, block.pseudo(Pseudo.method), OPTIONS);
      // In absolute form the engine would take the authority from here.
      if (bytes[from] !== SLASH && !isAsterisk) return false;
    }
    for (let at = from; at < to; at++) if (bytes[at] === SP) return false;
    this.head.value(bytes, from, to);
    return from < to;
  }

  #writeFields(block: FieldBlock, authority: number): boolean {
    const { head } = this;
    const { bytes, count } = block;
    let cookies = 0;
    for (let field = block.firstRegular; field < count; field++) {
      const kind = block.kind(field);
      switch (kind) {
        case Field.cookie:
          cookies++;
          continue;
        case Field.host:
          if (authority < 0) break;
          if (!isSameName(block, authority, field)) return false;
          continue;
        // For one hop, or written anew. Most are refused before.
        case Field.connection:
        case Field.keepAlive:
        case Field.proxyConnection:
        case Field.transferEncoding:
        case Field.upgrade:
        case Field.http2Settings:
        case Field.te:
          continue;
        case Field.contentLength:
          if (this.isTunnel) continue;
          break;
        case Field.contentType:
          this.isGrpc = startsWith(bytes, block.valueFrom(field), block.valueTo(field), GRPC_TYPE);
          break;
        default:
      }
      head
        .token(bytes, block.nameFrom(field), block.nameTo(field))
        .put(COLON_SP)
        .value(bytes, block.valueFrom(field), block.valueTo(field))
        .put(CRLF);
    }
    if (cookies > 0) this.#writeCookies(block);
    return true;
  }

  /** Clients may send each pair by itself, which compresses better (RFC 9113 section 8.2.3). */
  #writeCookies(block: FieldBlock): void {
    const { head } = this;
    let separator = COOKIE;
    for (let field = block.firstRegular; field < block.count; field++) {
      if (block.kind(field) !== Field.cookie) continue;
      head.put(separator).value(block.bytes, block.valueFrom(field), block.valueTo(field));
      separator = COOKIE_SEPARATOR;
    }
    head.put(CRLF);
  }
}

function isSpelled(block: FieldBlock, field: number, lower: Uint8Array): boolean {
  return spells(block.bytes, block.valueFrom(field), block.valueTo(field), lower);
}

/** Do `:authority` and `host` say the same? If not, whoever looks at the other one sees another request. */
function isSameName(block: FieldBlock, authority: number, host: number): boolean {
  const { bytes } = block;
  const from = block.valueFrom(authority);
  const length = block.valueTo(authority) - from;
  const hostFrom = block.valueFrom(host);
  if (block.valueTo(host) - hostFrom !== length) return false;
  for (let at = 0; at < length; at++)
    if (lower(bytes[from + at] as number) !== lower(bytes[hostFrom + at] as number)) return false;
  return true;
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

// oxlint-disable-next-line max-params -- per request: an object would be allocated
export function startsWith(bytes: Buffer, from: number, to: number, text: string): boolean {
  if (to - from < text.length) return false;
  for (let at = 0; at < text.length; at++)
    if (lower(bytes[from + at] as number) !== text.charCodeAt(at)) return false;
  return true;
}
