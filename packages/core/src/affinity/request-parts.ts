/** Reading of the parts of a request that may carry an affinity key or an affinity cookie. */

/**
 * The values of the cookies of one name in a Cookie header (RFC 6265 section 4.2.1), the most specific first, as browsers
 * send them. Names are case-sensitive. Quotes around a value are taken off.
 *
 * @param header values of several Cookie headers joined by `; `
 * @param limit how many at most
 */
export function cookieValues(header: string | undefined, name: string, limit: number): string[] {
  const values: string[] = [];
  if (header === undefined) return values;
  let start = 0;
  let equals = -1;
  // By `;` only: commas occur in values, whatever the RFC says.
  while (start < header.length && values.length < limit) {
    let end = header.indexOf(';', start);
    if (end < 0) end = header.length;
    // Looked for only when passed: a header of nothing but `;` would otherwise be searched to its end for each of them.
    if (equals < start) equals = header.indexOf('=', start);
    if (equals < 0) break;
    if (equals < end && header.slice(start, equals).trim() === name)
      values.push(unquoted(header.slice(equals + 1, end).trim()));
    start = end + 1;
  }
  return values;
}

/** The first of {@link cookieValues}. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  return cookieValues(header, name, 1)[0];
}

/** The first query parameter of that name in a request target, decoded; undefined when there is none. */
export function queryValue(target: string, name: string): string | undefined {
  const mark = target.indexOf('?');
  if (mark < 0) return undefined;
  const hash = target.indexOf('#', mark);
  const query = target.slice(mark + 1, hash < 0 ? undefined : hash);
  return new URLSearchParams(query).get(name) ?? undefined;
}

/** The path of a request target without query and fragment. */
export function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  return end < 0 ? target : target.slice(0, end);
}

function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"')
    ? value.slice(1, -1)
    : value;
}
