import type { Document, LineCounter } from 'yaml';
import { messageOf } from '../../error/evenkeel-error.ts';
import { discoveryError } from '../discovery-error.ts';
import { describeAt, type DocumentPath, type EndpointDocument, type Position } from './document.ts';

/**
 * Reads YAML 1.2 (core schema, one document). Nothing that could surprise is allowed: warnings such as unknown tags are
 * errors, keys must be texts, `<<` is an ordinary key. The library is loaded on first use, so a program without YAML
 * files does not carry it.
 *
 * @throws EvenkeelError `EVENKEEL_DISCOVERY` with line, column and reason
 */
export async function parseYaml(text: string): Promise<EndpointDocument> {
  const yaml = await import('yaml');
  const lineCounter = new yaml.LineCounter();
  const document = yaml.parseDocument(text, {
    lineCounter,
    // Pretty messages quote the source, which may be long; the position is kept apart anyway.
    prettyErrors: false,
    stringKeys: true,
    logLevel: 'error',
  });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    throw discoveryError(
      describeAt(positionOf(lineCounter, problem.pos[0]), problem.message),
      problem,
    );
  }
  try {
    // Aliases become references to one object, which costs nothing; `assertBounded` limits what they expand to.
    const value: unknown = document.toJS({ maxAliasCount: -1 });
    return { value, locate: (path) => locate(document, lineCounter, path) };
  } catch (error) {
    throw discoveryError(messageOf(error), error);
  }
}

function locate(document: Document.Parsed, lineCounter: LineCounter, path: DocumentPath): Position {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    const range = (node as { range?: readonly number[] | null } | null | undefined)?.range;
    if (range !== null && range !== undefined) return positionOf(lineCounter, range[0] ?? 0);
  }
  return positionOf(lineCounter, document.contents?.range[0] ?? 0);
}

function positionOf(lineCounter: LineCounter, offset: number): Position {
  const { line, col } = lineCounter.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
