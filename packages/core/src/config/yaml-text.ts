import type { Document, isAlias, LineCounter, Node, Pair, YAMLMap } from 'yaml';
import type { DocumentPath, Position } from '../discovery/file/document.ts';
import { messageOf } from '../error/evenkeel-error.ts';
import type { ParsedText } from './config-document.ts';

/** Aliases are for parts that are the same; more of them than this make small texts into large ones. */
const MAX_ALIASES = 1_000;

/**
 * Reads YAML 1.2 (core schema, one document). Nothing that could surprise is allowed: unknown tags are errors, keys are
 * texts, `<<` is an ordinary key. The library is loaded on first use.
 */
export async function parsedYaml(
  text: string,
  fail: (position: Position, reason: string) => Error,
): Promise<ParsedText> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    logLevel: 'error',
  });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) throw fail(positionOf(lines, problem.pos[0]), problem.message);
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    const opened: Opened = { document, isAlias: yaml.isAlias };
    return {
      value,
      locate: (path) => positionOf(lines, startOf(nodeNear(opened, path))),
      locateKey: (path) => positionOf(lines, keyStart(opened, path)),
      isPlain: (path) => {
        const found = nodeAt(opened, path);
        const node = yaml.isAlias(found) ? found.resolve(document) : found;
        return yaml.isScalar(node) && node.type === 'PLAIN';
      },
      scalar: (source) => {
        const parsed = yaml.parseDocument(source, { logLevel: 'silent' });
        const { contents } = parsed;
        const isScalar = parsed.errors.length === 0 && yaml.isScalar(contents);
        // What only looks like YAML (a comment, quotes, a list) is the text that the variable holds.
        return isScalar && contents.type === 'PLAIN' && contents.source === source
          ? contents.value
          : source;
      },
    };
  } catch (error) {
    throw fail({ line: 1, column: 1 }, messageOf(error));
  }
}

interface Opened {
  readonly document: Document.Parsed;
  readonly isAlias: typeof isAlias;
}

/** What an alias stands for is at the place of the alias, too. */
function nodeAt({ document, isAlias }: Opened, path: DocumentPath): Node | undefined {
  let node = document.contents as Node | undefined | null;
  for (const key of path) {
    if (isAlias(node)) node = node.resolve(document);
    node = (node as YAMLMap | undefined)?.get?.(key, true) as Node | undefined;
  }
  return node ?? undefined;
}

/** The node at a path, or the nearest one around it. */
function nodeNear(opened: Opened, path: DocumentPath): Node | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const node = nodeAt(opened, path.slice(0, length));
    if (node?.range !== null && node?.range !== undefined) return node;
  }
  return opened.document.contents ?? undefined;
}

function keyStart(opened: Opened, path: DocumentPath): number {
  const around = nodeAt(opened, path.slice(0, -1)) as { items?: readonly Pair[] } | undefined;
  const wanted = path.at(-1);
  const pair = around?.items?.find(
    ({ key }) => (key as { value?: unknown } | null)?.value === wanted,
  );
  return pair === undefined ? startOf(nodeNear(opened, path)) : startOf(pair.key as Node);
}

function startOf(node: Node | undefined): number {
  return node?.range?.[0] ?? 0;
}

function positionOf(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
