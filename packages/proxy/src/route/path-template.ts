/**
 * Paths with parameters: `/users/{id}/files/{path*}`. A parameter is one segment that is not empty; one with a star comes
 * last and is all that is left, slashes included, and nothing if need be.
 */

export type TemplatePart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'parameter'; readonly name: string }
  | { readonly kind: 'rest'; readonly name: string };

const PARAMETER = /^\{([a-zA-Z_][a-zA-Z0-9_]*)(\*?)\}$/;

/** @throws Error that says what is wrong with it */
export function parseTemplate(template: string): readonly TemplatePart[] {
  const segments = segmentsOf(template);
  const names = new Set<string>();
  return segments.map((segment, at): TemplatePart => {
    const [, name, star] = PARAMETER.exec(segment) ?? [];
    if (name === undefined) {
      if (/[{}*]/.test(segment))
        throw new Error(`a parameter is a whole segment, {name} or {name*}: ${segment}`);
      return { kind: 'literal', text: segment };
    }
    if (names.has(name)) throw new Error(`a name twice: ${name}`);
    names.add(name);
    if (star === '') return { kind: 'parameter', name };
    if (at < segments.length - 1) throw new Error(`the rest comes last: ${segment}`);
    return { kind: 'rest', name };
  });
}

/** Without the empty text before the first slash. */
export function segmentsOf(path: string): readonly string[] {
  return path.slice(1).split('/');
}

/** What the parameters are in a path that fits the template. */
export function parametersOf(
  parts: readonly TemplatePart[],
  path: string,
): ReadonlyMap<string, string> {
  const segments = segmentsOf(path);
  const values = new Map<string, string>();
  for (const [at, part] of parts.entries()) {
    if (part.kind === 'parameter') values.set(part.name, segments[at] ?? '');
    if (part.kind === 'rest') values.set(part.name, segments.slice(at).join('/'));
  }
  return values;
}
