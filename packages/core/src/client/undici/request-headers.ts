/** Looking at request headers without caring in which of undici's five shapes they came. */
import type { Dispatcher } from 'undici';

type Options = Dispatcher.DispatchOptions;
type Headers = Options['headers'];

/**
 * The value of a request header; repeated ones joined as in RFC 9110 section 5.3. Undefined when absent.
 *
 * @param name in lower case
 * @param separator between the values of a repeated header
 */
export function requestHeader(
  headers: Headers,
  name: string,
  separator = ', ',
): string | undefined {
  if (headers === null || headers === undefined) return undefined;
  if (Array.isArray(headers)) return fromFlatList(headers, name, separator);
  if (isIterable(headers)) {
    for (const pair of headers as Iterable<readonly [string, string | string[] | undefined]>) {
      if (String(pair[0]).toLowerCase() === name) return textOf(pair[1], separator);
    }
    return undefined;
  }
  for (const key of Object.keys(headers)) {
    if (key.length === name.length && key.toLowerCase() === name) {
      return textOf((headers as Record<string, unknown>)[key], separator);
    }
  }
  return undefined;
}

/**
 * The options with headers that can be read any number of times. A generator gives its entries once: looking for an
 * affinity key, or a second try, would otherwise send a request without headers.
 */
export function withRepeatableHeaders<T extends Options>(options: T): T {
  const { headers } = options;
  if (!isIterable(headers) || Array.isArray(headers)) return options;
  const iterator = (headers as Iterable<unknown>)[Symbol.iterator]();
  if ((iterator as unknown) !== headers) return options;
  const list: string[] = [];
  for (const [name, value] of headers as Iterable<
    readonly [string, string | string[] | undefined]
  >) {
    if (value !== undefined) list.push(name, value as string);
  }
  return { ...options, headers: list };
}

function isIterable(headers: Headers): boolean {
  return (
    typeof headers === 'object' &&
    headers !== null &&
    typeof (headers as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function'
  );
}

function fromFlatList(
  headers: readonly unknown[],
  name: string,
  separator: string,
): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (String(headers[index]).toLowerCase() === name) return textOf(headers[index + 1], separator);
  }
  return undefined;
}

function textOf(value: unknown, separator: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  return Array.isArray(value) ? value.join(separator) : String(value as string | number);
}
