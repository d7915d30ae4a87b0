/**
 * Templates as a tree of segments. A text of its own is looked for before a parameter, and a parameter before the rest of
 * a path, from the first segment on; what leads nowhere is taken back. Each node is looked at once at most, so that a
 * request costs no more than the templates have segments, whatever its path is.
 */
import type { Route, RouteRequest } from '../engine/route.ts';
import { type Candidate, Candidates } from './candidates.ts';
import { parseTemplate, segmentsOf } from './path-template.ts';

class Node {
  readonly literals = new Map<string, Node>();
  parameter: Node | undefined = undefined;
  /** Of templates that end here, and of those whose rest begins here. */
  readonly ends = new Candidates();
  readonly rests = new Candidates();
}

export class TemplateIndex {
  readonly #root = new Node();

  add(template: string, candidate: Candidate): void {
    let node = this.#root;
    for (const part of parseTemplate(template)) {
      if (part.kind === 'rest') {
        node.rests.add(candidate);
        return;
      }
      if (part.kind === 'parameter') node = node.parameter ??= new Node();
      else {
        const next = node.literals.get(part.text) ?? new Node();
        node.literals.set(part.text, next);
        node = next;
      }
    }
    node.ends.add(candidate);
  }

  find(path: string, request: RouteRequest): Route | undefined {
    return findBelow(this.#root, segmentsOf(path), { at: 0, request });
  }
}

function findBelow(
  node: Node,
  segments: readonly string[],
  { at, request }: { readonly at: number; readonly request: RouteRequest },
): Route | undefined {
  if (at === segments.length) return node.ends.find(request);
  const segment = segments[at] as string;
  const next = { at: at + 1, request };
  const literal = node.literals.get(segment);
  const found = literal && findBelow(literal, segments, next);
  if (found !== undefined) return found;
  const { parameter } = node;
  const filled =
    segment === '' || parameter === undefined ? undefined : findBelow(parameter, segments, next);
  return filled ?? node.rests.find(request);
}
