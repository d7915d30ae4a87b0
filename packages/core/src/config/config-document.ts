/**
 * The text of a configuration, as data, and where in the text each part of it stands. Values may name variables of the
 * environment: `${NAME}`, or `${NAME:-default}` for one that may be missing or empty; `$${` stands for `${` itself.
 */
import { ConfigError, type ConfigIssue } from '../error/config-error.ts';
import { assertBounded } from '../discovery/file/bounds.ts';
import type { DocumentPath, Position } from '../discovery/file/document.ts';
import { joinPath } from '../schema/decode.ts';
import { parsedJson } from './json-text.ts';
import { parsedYaml } from './yaml-text.ts';

/** A text that was parsed. */
export interface ParsedText {
  readonly value: unknown;
  /** Position of the value, or of the nearest part around it. */
  locate(path: DocumentPath): Position;
  /** Position of the key that a value has; of the value where it has none. */
  locateKey(path: DocumentPath): Position;
  /** Is the text there a scalar without quotes, so that a number in it is a number? */
  isPlain(path: DocumentPath): boolean;
  /** What a scalar without quotes means. */
  scalar(text: string): unknown;
}

export interface ConfigDocumentOptions {
  /** What the file is called in errors. */
  readonly name: string;
  readonly format: 'json' | 'yaml';
  /** Variables that the values may name. Default none. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Names are told in errors, values never. */
const VARIABLE = /\$(\$\{)|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{([^}]*)\}?/g;

export class ConfigDocument {
  /** With the variables filled in. */
  readonly value: unknown;
  readonly #parsed: ParsedText;
  readonly #name: string;

  private constructor(parsed: ParsedText, value: unknown, name: string) {
    this.#parsed = parsed;
    this.value = value;
    this.#name = name;
  }

  /** @throws ConfigError with the place of everything that is no YAML or JSON, and of every variable that is missing */
  static async read(text: string, options: ConfigDocumentOptions): Promise<ConfigDocument> {
    const { name, format, environment = {} } = options;
    const fail = ({ line, column }: Position, reason: string): ConfigError =>
      new ConfigError([
        { path: `${name}:${line}:${column}`, expected: format.toUpperCase(), actual: reason },
      ]);
    const parsed = format === 'json' ? parsedJson(text, fail) : await parsedYaml(text, fail);
    try {
      // Eight per value for scalars that take one byte; what is more comes from aliases.
      assertBounded(parsed.value, 8 * Math.max(text.length, 65_536), MAX_DEPTH);
    } catch (error) {
      throw fail({ line: 1, column: 1 }, (error as Error).message);
    }
    const filling = new Filling(parsed, environment);
    const value = filling.fill(parsed.value, []);
    const document = new ConfigDocument(parsed, value, name);
    if (filling.issues.length > 0) throw document.locate(new ConfigError(filling.issues));
    return document;
  }

  /** The same with file, line and column before each path: `sidecar.yaml:12:7 listeners[0].listen`. */
  locate(error: ConfigError): ConfigError {
    const issues = error.issues.map((issue) => {
      const { line, column } = this.#positionOf(issue);
      return { ...issue, path: `${this.#name}:${line}:${column} ${issue.path}` };
    });
    return new ConfigError(issues, error);
  }

  #positionOf({ path, expected }: ConfigIssue): Position {
    const keys = keysOf(this.#parsed.value, path);
    const isKeyWrong = expected.startsWith('no such option');
    return isKeyWrong ? this.#parsed.locateKey(keys) : this.#parsed.locate(keys);
  }
}

/** Deeper than any configuration, and far from the end of the stack. */
const MAX_DEPTH = 64;

class Filling {
  readonly issues: ConfigIssue[] = [];
  readonly #parsed: ParsedText;
  readonly #environment: Readonly<Record<string, string | undefined>>;

  constructor(parsed: ParsedText, environment: Readonly<Record<string, string | undefined>>) {
    this.#parsed = parsed;
    this.#environment = environment;
  }

  fill(value: unknown, path: DocumentPath): unknown {
    if (typeof value === 'string') return value.includes('${') ? this.#text(value, path) : value;
    if (Array.isArray(value)) return value.map((item, index) => this.fill(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, child]) => [key, this.fill(child, [...path, key])]),
    );
  }

  #text(text: string, path: DocumentPath): unknown {
    // oxlint-disable-next-line max-params -- as `replace` calls it
    const filled = text.replaceAll(VARIABLE, (_, escaped, name, byDefault, wrong) => {
      if (escaped !== undefined) return '${';
      const value = typeof name === 'string' ? this.#environment[name] : undefined;
      if (value !== undefined && (value !== '' || byDefault === undefined)) return value;
      if (typeof byDefault === 'string') return byDefault;
      const expected =
        wrong === undefined
          ? `the environment variable ${name}, or a default: \${${name}:-...}`
          : 'a variable, ${NAME} or ${NAME:-default}, or $${ for the characters themselves';
      this.issues.push({
        path: joinPath('', path),
        expected,
        actual: wrong === undefined ? 'nothing' : JSON.stringify(`\${${wrong}`.slice(0, 80)),
      });
      return '';
    });
    return this.#parsed.isPlain(path) ? this.#parsed.scalar(filled) : filled;
  }
}

/** The keys of a path that is written as one types it. Keys may contain dots, so the longest one that fits is meant. */
function keysOf(root: unknown, path: string): DocumentPath {
  const keys: (string | number)[] = [];
  let value = root;
  let rest = path;
  while (rest !== '') {
    const index = /^\[(\d+)\]\.?/.exec(rest);
    if (index !== null) {
      const place = Number(index[1]);
      keys.push(place);
      value = Array.isArray(value) ? value[place] : undefined;
      rest = rest.slice(index[0].length);
      continue;
    }
    if (typeof value !== 'object' || value === null) break;
    const key = longestKey(Object.keys(value), rest);
    if (key === undefined) break;
    keys.push(key);
    value = (value as Readonly<Record<string, unknown>>)[key];
    rest = rest.slice(key.length).replace(/^\./, '');
  }
  return keys;
}

function longestKey(keys: readonly string[], path: string): string | undefined {
  return keys
    .filter((key) => path === key || (path.startsWith(key) && /^[.[]/.test(path.slice(key.length))))
    .sort((a, b) => b.length - a.length)[0];
}
