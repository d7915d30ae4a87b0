/**
 * Texts with variables in them, `user-%{certificate.subject}`, taken apart once. `%%{` stands for `%{` itself.
 *
 * | variable | stands for |
 * | --- | --- |
 * | `client.address`, `peer.address` | who sent the request, as trusted proxies say, or as the connection says |
 * | `request.id`, `route`, `scheme`, `method`, `host`, `path`, `search` | parts of the request |
 * | `header.NAME`, `cookie.NAME`, `query.NAME` | a value of the request |
 * | `certificate.subject`, `certificate.fingerprint` | of the client's verified certificate |
 * | `response.status` | of the response; '' where there is none yet |
 *
 * What is not there is the empty text. A character that cannot stand in a field is percent-encoded, so that a query
 * parameter cannot end a line.
 */
import { z } from 'zod';
import type { FilterRequest, FilterResponse } from '../filter.ts';
import { fieldText } from './field-text.ts';

type Part = (request: FilterRequest, response: FilterResponse | undefined) => string;

export class Template {
  readonly #parts: readonly (string | Part)[];
  /** The whole text, where there is no variable in it. */
  readonly #constant: string | undefined;

  /** @throws RangeError for a variable that does not exist */
  constructor(text: string) {
    this.#parts = partsOf(text);
    this.#constant = this.#parts.every((part) => typeof part === 'string')
      ? this.#parts.join('')
      : undefined;
  }

  text(request: FilterRequest, response?: FilterResponse): string {
    if (this.#constant !== undefined) return this.#constant;
    let text = '';
    for (const part of this.#parts) {
      text += typeof part === 'string' ? part : fieldText(part(request, response));
    }
    return text;
  }
}

const PLAIN: Readonly<Record<string, Part>> = {
  'client.address': ({ clientAddress }) => clientAddress,
  'peer.address': ({ sourceAddress }) => sourceAddress ?? '',
  'request.id': ({ id }) => id,
  route: ({ route }) => route,
  scheme: ({ scheme }) => scheme,
  method: ({ method }) => method,
  host: ({ host }) => host,
  path: ({ path }) => path,
  search: ({ search }) => search,
  'certificate.subject': ({ certificate }) => certificate?.subject ?? '',
  'certificate.fingerprint': ({ certificate }) => certificate?.fingerprint ?? '',
  'response.status': (_, response) => (response === undefined ? '' : String(response.status)),
};

const VARIABLE = /%%\{|%\{([^}]*)\}/g;

function partsOf(text: string): (string | Part)[] {
  const parts: (string | Part)[] = [];
  let from = 0;
  for (const match of text.matchAll(VARIABLE)) {
    parts.push(text.slice(from, match.index));
    parts.push(match[1] === undefined ? '%{' : partOf(match[1]));
    from = match.index + match[0].length;
  }
  parts.push(text.slice(from));
  return parts.filter((part) => part !== '');
}

function partOf(name: string): Part {
  const plain = Object.hasOwn(PLAIN, name) ? PLAIN[name] : undefined;
  if (plain !== undefined) return plain;
  const dot = name.indexOf('.');
  const key = name.slice(dot + 1);
  if (dot > 0 && key !== '') {
    const lower = key.toLowerCase();
    switch (name.slice(0, dot)) {
      case 'header':
        return (request) => request.header(lower) ?? '';
      case 'cookie':
        return (request) => request.cookie(key) ?? '';
      case 'query':
        return (request) => request.query(key) ?? '';
      default:
    }
  }
  throw new RangeError(`no variable ${name}`);
}

const EXPECTED = `a text whose variables are among ${Object.keys(PLAIN).join(', ')}, header.NAME, cookie.NAME and query.NAME`;

/** @param text the schema of the text without its variables */
export function template(text: z.ZodType<string, string>): z.ZodType<Template, string> {
  return text.transform((value, context) => {
    try {
      return new Template(value);
    } catch {
      context.addIssue({ code: 'custom', message: EXPECTED, input: value });
      return z.NEVER;
    }
  });
}
