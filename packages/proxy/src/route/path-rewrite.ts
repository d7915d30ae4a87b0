/** Another path for the endpoint, with what a template or an expression has read from that of the request. */
import type { Filter, FilterRequest } from '../filter/filter.ts';
import type { PathMatch } from './path-index.ts';
import { parametersOf, parseTemplate } from './path-template.ts';
import { SafeRegex } from './safe-regex.ts';

const PLACE = /\{([a-zA-Z0-9_]+)\}/g;

/** Text and names of values by turns, beginning and ending with text. */
function piecesOf(path: string): readonly string[] {
  return path.split(PLACE);
}

/** Names that the path asks for. */
export function namesIn(path: string): readonly string[] {
  return piecesOf(path).filter((_, at) => at % 2 === 1);
}

/** Names that a match gives values to. */
export function namesOf({ kind, path }: PathMatch): readonly string[] {
  switch (kind) {
    case 'template':
      return parseTemplate(path).flatMap((part) => (part.kind === 'literal' ? [] : [part.name]));
    case 'regex':
      return new SafeRegex(path).groupNames;
    case 'exact':
    case 'prefix':
      return [];
  }
}

/** Runs after the filters of the user, which see the path of the request. */
export class PathRewrite implements Filter {
  readonly name: string = 'rewrite';
  readonly #pieces: readonly string[];
  readonly #valuesOf: (path: string) => ReadonlyMap<string, string> | undefined;

  constructor(path: string, match: PathMatch) {
    this.#pieces = piecesOf(path);
    this.#valuesOf = readerOf(match);
  }

  onRequest(request: FilterRequest): undefined {
    const values = this.#valuesOf(request.path);
    // A filter before this one has given it another path.
    if (values === undefined) return;
    const pieces = this.#pieces.map((piece, at) =>
      at % 2 === 1 ? (values.get(piece) ?? '') : piece,
    );
    request.setTarget(`${pieces.join('')}${request.search}`);
  }
}

const NO_VALUES: ReadonlyMap<string, string> = new Map();

function readerOf({
  kind,
  path,
}: PathMatch): (path: string) => ReadonlyMap<string, string> | undefined {
  switch (kind) {
    case 'template': {
      const parts = parseTemplate(path);
      return (text) => parametersOf(parts, text);
    }
    case 'regex': {
      const regex = new SafeRegex(path);
      return (text) => regex.groups(text);
    }
    case 'exact':
    case 'prefix':
      return () => NO_VALUES;
  }
}
