/**
 * Compiles the format of a line. Whatever a client sends stays within its value: control characters, quotes and
 * backslashes are escaped, so that no request can forge a line or a field, or speak to a terminal.
 */
import type { RouteRequest } from '../../engine/route.ts';
import type { AccessEntry, AccessResult } from '../access-log.ts';
import { DEFAULT_JSON_FIELDS, type LogField, logField } from './log-fields.ts';

/** A text that is always the same, or a value: by its place in `entry.taken`, or told at the end. */
type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'taken'; readonly at: number }
  | Extract<LogField, { kind: 'told' }>;

/** Why a format cannot be used. */
export class FormatProblem {
  readonly expected: string;
  readonly actual: string;

  constructor(expected: string, actual: string) {
    this.expected = expected;
    this.actual = actual;
  }
}

export class LineFormat {
  readonly #pieces: readonly Piece[];
  readonly #takes: readonly ((request: RouteRequest) => string | undefined)[];
  readonly #write: (value: string | number | undefined) => string;

  private constructor(parts: readonly (string | LogField)[], write: typeof jsonValue) {
    const takes: ((request: RouteRequest) => string | undefined)[] = [];
    this.#pieces = parts.map((part): Piece => {
      if (typeof part === 'string') return { kind: 'text', text: part };
      if (part.kind === 'told') return part;
      return { kind: 'taken', at: takes.push(part.take) - 1 };
    });
    this.#takes = takes;
    this.#write = write;
  }

  /** One object a line. */
  static json(names: readonly string[] = DEFAULT_JSON_FIELDS): LineFormat | FormatProblem {
    const parts: (string | LogField)[] = [];
    for (const [index, name] of names.entries()) {
      const field = logField(name);
      if (field === undefined) return unknownField(name);
      parts.push(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`, field);
    }
    return new LineFormat([...parts, names.length === 0 ? '{}' : '}'], jsonValue);
  }

  /** Text with `%{field}` in it; `%%` is a percent sign. */
  static text(format: string): LineFormat | FormatProblem {
    const parts: (string | LogField)[] = [];
    let at = 0;
    for (const match of format.matchAll(/%(?:\{([^}]*)\}|(%)|)/g)) {
      const [whole, name, percent] = match;
      parts.push(format.slice(at, match.index));
      at = match.index + whole.length;
      if (percent !== undefined) parts.push('%');
      else if (name === undefined) return new FormatProblem('%{field}, or %% for the sign', whole);
      else {
        const field = logField(name);
        if (field === undefined) return unknownField(name);
        parts.push(field);
      }
    }
    return new LineFormat([...parts, format.slice(at)], textValue);
  }

  /** What has to be kept of a request until its end. */
  take(request: RouteRequest | undefined): readonly (string | undefined)[] {
    const takes = this.#takes;
    const values = new Array<string | undefined>(takes.length);
    for (let at = 0; at < takes.length; at++)
      values[at] = request === undefined ? undefined : takes[at]?.(request);
    return values;
  }

  /** A line without its end. */
  line(entry: AccessEntry, result: AccessResult, time: string): string {
    let line = '';
    for (const piece of this.#pieces) {
      if (piece.kind === 'text') line += piece.text;
      else
        line += this.#write(
          piece.kind === 'taken' ? entry.taken[piece.at] : piece.tell(result, entry, time),
        );
    }
    return line;
  }
}

function unknownField(name: string): FormatProblem {
  return new FormatProblem(`fields of the access log, or header:NAME`, name);
}

/** Most values are short and plain: a walk over them is faster than a regular expression. */
const SHORT = 64;

function isUnsafe(text: string): boolean {
  const { length } = text;
  if (length > SHORT) return UNSAFE.test(text);
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x22 || code === 0x5c || code > 0x7e) return UNSAFE.test(text);
  }
  return false;
}

const UNSAFE = /[\x00-\x1f"\\\x7f-\x9f\u2028\u2029]/;
const ALL_UNSAFE = /[\x00-\x1f"\\\x7f-\x9f\u2028\u2029]/g;

/** `-` for what is not there, as in other logs. */
function textValue(value: string | number | undefined): string {
  if (value === undefined || value === '') return '-';
  const text = String(value);
  return isUnsafe(text) ? text.replace(ALL_UNSAFE, (one) => `\\x${hexOf(one, 2)}`) : text;
}

function jsonValue(value: string | number | undefined): string {
  if (value === undefined) return 'null';
  if (typeof value === 'number') return String(value);
  return isUnsafe(value)
    ? `"${value.replace(ALL_UNSAFE, (one) => `\\u${hexOf(one, 4)}`)}"`
    : `"${value}"`;
}

function hexOf(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, '0');
}
