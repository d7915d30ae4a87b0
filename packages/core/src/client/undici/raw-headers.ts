/** Headers as the legacy callbacks want them: one flat list of buffers, name, value, name, value. */

/** What `controller.rawHeaders` may hold: buffers or strings from HTTP/1.1, an object from HTTP/2. */
export type RawHeaders = readonly (Buffer | string)[] | HeaderObject | null | undefined;

interface HeaderObject {
  readonly [name: string]: string | string[] | number | undefined;
}

/**
 * @param raw what arrived on the wire, if the transport kept it
 * @param parsed the parsed headers, used when there is no raw form
 */
export function rawHeaderList(raw: RawHeaders, parsed: HeaderObject): Buffer[] {
  if (!isList(raw)) return fromObject(raw ?? parsed);
  // HTTP/1.1 delivers buffers already: the common case copies nothing.
  return raw.every((part) => typeof part !== 'string') ? (raw as Buffer[]) : raw.map(toBuffer);
}

function isList(raw: RawHeaders): raw is readonly (Buffer | string)[] {
  return Array.isArray(raw);
}

function fromObject(headers: HeaderObject): Buffer[] {
  const list: Buffer[] = [];
  for (const [name, value] of Object.entries(headers)) {
    // HTTP/2 pseudo headers (RFC 9113 section 8.3) are not fields of the message.
    if (value === undefined || name.startsWith(':')) continue;
    for (const one of Array.isArray(value) ? value : [value])
      list.push(toBuffer(name), toBuffer(String(one)));
  }
  return list;
}

/** Header bytes are latin1: each byte one character (RFC 9110 section 5.5). */
function toBuffer(part: Buffer | string): Buffer {
  return typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
}
