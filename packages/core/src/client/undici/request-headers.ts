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
      if (isNamed(pair[0], name)) return textOf(pair[1], separator);
    }
    return undefined;
  }
  for (const key of Object.keys(headers)) {
    if (isNamed(key, name)) {
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

/** The request with one header set, whatever it had under that name. @param name in lower case */
export function withHeader<T extends Options>(request: T, name: string, value: string): T {
  const { headers } = request;
  if (headers === null || headers === undefined) return { ...request, headers: { [name]: value } };
  if (!isIterable(headers)) {
    const record: Record<string, unknown> = {
      ...(headers as Record<string, unknown>),
      [name]: value,
    };
    for (const key of Object.keys(record))
      if (key !== name && isNamed(key, name)) delete record[key];
    return { ...request, headers: record };
  }
  const list: unknown[] = [];
  for (const [key, one] of pairsOf(headers)) if (!isNamed(key, name)) list.push(key, one);
  list.push(name, value);
  return { ...request, headers: list };
}

function* pairsOf(headers: Headers): Generator<readonly [unknown, unknown], void, undefined> {
  if (!Array.isArray(headers)) {
    yield* headers as Iterable<[unknown, unknown]>;
    return;
  }
  for (let index = 0; index + 1 < headers.length; index += 2)
    yield [headers[index], headers[index + 1]];
}

function isNamed(key: unknown, name: string): boolean {
  const text = typeof key === 'string' ? key : String(key);
  // Most names are told apart by their length alone.
  return text.length === name.length && text.toLowerCase() === name;
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
    if (isNamed(headers[index], name)) return textOf(headers[index + 1], separator);
  }
  return undefined;
}

function textOf(value: unknown, separator: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  return Array.isArray(value) ? value.join(separator) : String(value as string | number);
}
