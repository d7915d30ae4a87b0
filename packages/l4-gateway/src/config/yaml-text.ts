import { ConfigError, type ConfigIssue } from '@evenkeel/core';
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

/** A YAML file as data, and where in it everything stands. */
export class YamlText {
  readonly data: unknown;
  readonly #name: string;
  readonly #root: Node | null;
  readonly #lines = new LineCounter();

  /**
   * @param name of the file, for messages
   * @throws ConfigError with the lines of what is no YAML
   */
  constructor(text: string, name: string) {
    this.#name = name;
    const document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: true,
    });
    const problems = [...document.errors, ...document.warnings];
    if (problems.length > 0) {
      throw new ConfigError(
        problems.map(({ pos, message }) => ({
          path: `${name}:${this.#lines.linePos(pos[0]).line}`,
          expected: 'YAML',
          actual: message,
        })),
      );
    }
    this.#root = document.contents;
    this.data = document.toJS({ maxAliasCount: 100 }) as unknown;
  }

  /** The same issues with file and line in front: `edge.yaml:12: vips[0].port`. */
  locate(error: ConfigError): ConfigError {
    return new ConfigError(
      error.issues.map((issue): ConfigIssue => ({
        ...issue,
        path: `${this.#name}:${this.lineOf(issue.path)}: ${issue.path}`,
      })),
    );
  }

  /** The line of what a path of a {@link ConfigIssue} names, or of the innermost part of it that is there. */
  lineOf(path: string): number {
    let node = this.#root;
    let start = node?.range?.[0] ?? 0;
    let rest = path;
    while (node !== null && rest !== '') {
      const step = stepInto(node, rest);
      if (step === undefined) break;
      start = step.start;
      node = step.node;
      rest = step.rest;
    }
    return Math.max(1, this.#lines.linePos(start).line);
  }
}

interface Step {
  readonly node: Node | null;
  readonly start: number;
  readonly rest: string;
}

function stepInto(node: Node, path: string): Step | undefined {
  if (isSeq(node)) {
    const match = /^\[(\d+)\]\.?/u.exec(path);
    const item = match === null ? undefined : (node.items[Number(match[1])] as Node | undefined);
    if (match === null || item === undefined) return undefined;
    return { node: item, start: item.range?.[0] ?? 0, rest: path.slice(match[0].length) };
  }
  if (!isMap(node)) return undefined;
  // Names of clusters may contain dots, so the longest key that fits is meant.
  const candidates = node.items
    .filter(({ key }) => isScalar(key))
    .map((pair) => ({ pair, name: String((pair.key as { value: unknown }).value) }))
    .filter(
      ({ name }) =>
        path === name || (path.startsWith(name) && /^[.[]/u.test(path.slice(name.length))),
    )
    .sort((a, b) => b.name.length - a.name.length);
  const found = candidates[0];
  if (found === undefined) return undefined;
  return {
    node: (found.pair.value ?? null) as Node | null,
    start: (found.pair.key as Node).range?.[0] ?? 0,
    rest: path.slice(found.name.length).replace(/^\./u, ''),
  };
}
