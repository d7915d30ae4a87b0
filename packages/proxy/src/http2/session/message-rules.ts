/**
 * What makes a list of fields a message: RFC 9113 section 8. A message that breaks a rule is malformed, a stream error
 * of kind PROTOCOL_ERROR (section 8.1.1), and nobody else hears of it. What one field alone may look like has been
 * judged by then.
 */
import { Field } from '../../http1/known-field.ts';
import type { FieldList } from '../hpack/field-list.ts';
import { Pseudo } from '../http2-stream.ts';

const SLASH = 0x2f;
const STAR = 0x2a;
/** Longer lengths would not be exact. */
const MAX_LENGTH_DIGITS = 15;

/** A request: sections 8.3.1, 8.5 and RFC 8441 section 4. Sets `contentLength`. */
export function isRequest(list: FieldList, takesConnectProtocol: boolean): boolean {
  if (list.isMalformed || list.pseudo(Pseudo.status) !== -1) return false;
  const method = list.pseudo(Pseudo.method);
  if (method === -1) return false;
  const hasScheme = list.pseudo(Pseudo.scheme) !== -1;
  const path = list.pseudo(Pseudo.path);
  const protocol = list.pseudo(Pseudo.protocol);
  if (spells(list, method, 'CONNECT') && protocol === -1) {
    // A tunnel: it has no content whose length could be known.
    if (hasScheme || path !== -1 || list.pseudo(Pseudo.authority) === -1) return false;
  } else {
    if (!hasScheme || path === -1 || !isPath(list, path, method)) return false;
    if (protocol !== -1 && (!takesConnectProtocol || !spells(list, method, 'CONNECT')))
      return false;
  }
  return areRegularFieldsGood(list, true);
}

/** A response, an informational one too: section 8.3.2. Sets `status` and `contentLength`. */
export function isResponse(list: FieldList): boolean {
  const status = list.pseudo(Pseudo.status);
  if (list.isMalformed || status === -1 || list.firstRegular !== 1) return false;
  const from = list.valueFrom(status);
  if (list.valueTo(status) - from !== 3) return false;
  // The bytes are digits.
  const { bytes } = list;
  list.status =
    ((bytes[from] as number) - 0x30) * 100 +
    ((bytes[from + 1] as number) - 0x30) * 10 +
    ((bytes[from + 2] as number) - 0x30);
  // HTTP/2 has no upgrade: section 8.6.
  if (list.status < 100 || list.status === 101) return false;
  return areRegularFieldsGood(list, false);
}

/** Trailers: section 8.1. */
export function areTrailers(list: FieldList): boolean {
  return !list.isMalformed && list.firstRegular === 0;
}

function isPath(list: FieldList, path: number, method: number): boolean {
  const from = list.valueFrom(path);
  const first = list.bytes[from];
  if (first === SLASH) return true;
  return first === STAR && list.valueTo(path) - from === 1 && spells(list, method, 'OPTIONS');
}

function spells(list: FieldList, field: number, text: string): boolean {
  const from = list.valueFrom(field);
  if (list.valueTo(field) - from !== text.length) return false;
  for (let at = 0; at < text.length; at++)
    if (list.bytes[from + at] !== text.charCodeAt(at)) return false;
  return true;
}

function areRegularFieldsGood(list: FieldList, ofRequest: boolean): boolean {
  let host = -1;
  for (let field = list.firstRegular; field < list.count; field++) {
    const kind = list.kind(field);
    if (kind === Field.contentLength) {
      if (!takeLength(list, field)) return false;
    } else if (kind === Field.host && ofRequest) {
      if (host !== -1 || !isSameAuthority(list, field)) return false;
      host = field;
    }
  }
  return true;
}

/** Digits, once: section 8.1.1 with RFC 9110 section 8.6. */
function takeLength(list: FieldList, field: number): boolean {
  const to = list.valueTo(field);
  let at = list.valueFrom(field);
  if (at === to || to - at > MAX_LENGTH_DIGITS || list.contentLength !== -1) return false;
  let length = 0;
  for (; at < to; at++) {
    const digit = (list.bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return false;
    length = length * 10 + digit;
  }
  list.contentLength = length;
  return true;
}

/** Section 8.3.1: a `host` that differs from `:authority` would lead a request to two places. */
function isSameAuthority(list: FieldList, host: number): boolean {
  const authority = list.pseudo(Pseudo.authority);
  if (authority === -1) return true;
  const { bytes } = list;
  const length = list.valueTo(host) - list.valueFrom(host);
  if (list.valueTo(authority) - list.valueFrom(authority) !== length) return false;
  const a = list.valueFrom(host);
  const b = list.valueFrom(authority);
  for (let at = 0; at < length; at++)
    if (lower(bytes[a + at] as number) !== lower(bytes[b + at] as number)) return false;
  return true;
}

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);
