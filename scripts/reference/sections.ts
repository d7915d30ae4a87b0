/** Which tables the reference has: one for every object of options. */
import { alternativesOf, resolve, type SchemaNode } from './schema-node.ts';

/** A part of the schemas in both forms. */
export interface Forms {
  readonly code: SchemaNode;
  readonly file: SchemaNode;
}

/** An object with options, or several of which exactly one is chosen. */
export interface Section {
  readonly title: string;
  /** Where it stands, as a user types it; below what has a title of its own that title and `: `. */
  readonly path: string;
  readonly alternatives: readonly Forms[];
}

/** The sections that belong to one option, in the order in which they are to be read. */
export function sectionsAt(path: string, node: Forms, roots: Forms): Section[] {
  const target = { code: resolve(node.code, roots.code), file: resolve(node.file, roots.file) };
  const { title, items, properties, additionalProperties: values } = target.code;
  if (title !== undefined)
    return [{ title, path: `${title}: `, alternatives: objectsOf(target, roots) }];
  if (properties !== undefined) return [objectSection(path, target)];
  if (items !== undefined)
    return sectionsAt(`${path}[]`, { code: items, file: target.file.items ?? items }, roots);
  if (typeof values === 'object') {
    const inFile = target.file.additionalProperties;
    const file = typeof inFile === 'object' ? inFile : values;
    return sectionsAt(path, { code: values, file }, roots);
  }
  const { additionalProperties: byName } = target.code;
  if (typeof byName === 'object') {
    const inFile = target.file.additionalProperties;
    return sectionsAt(
      path,
      { code: byName, file: typeof inFile === 'object' ? inFile : byName },
      roots,
    );
  }
  const branches = pairs(target, roots);
  return branches.length > 1 ? branches.flatMap((branch) => sectionsAt(path, branch, roots)) : [];
}

/** The heading under which a node is described, undefined for plain values. */
export function headingOf(path: string, node: SchemaNode, root: SchemaNode): string | undefined {
  const target = resolve(node, root);
  if (target.title !== undefined) return target.title;
  return target.properties === undefined
    ? undefined
    : objectSection(path, { code: target, file: target }).title;
}

function objectSection(path: string, forms: Forms): Section {
  const name = forms.code.properties?.['name']?.const;
  if (typeof name === 'string')
    return { title: `Policy \`${name}\``, path: 'policy', alternatives: [forms] };
  return { title: path.replace(/^(.*: )?(.*)$/, '$1`$2`'), path, alternatives: [forms] };
}

function objectsOf(node: Forms, roots: Forms): Forms[] {
  return pairs(node, roots).filter(({ code }) => code.properties !== undefined);
}

/** The alternatives of both forms side by side: they are derived from one schema and stand in one order. */
function pairs(node: Forms, roots: Forms): Forms[] {
  const files = alternativesOf(node.file, roots.file);
  return alternativesOf(node.code, roots.code).map((code, index) => ({
    code,
    file: files[index] ?? code,
  }));
}
