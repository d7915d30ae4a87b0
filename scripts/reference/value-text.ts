/** What may stand at an option, in a few words. */
import { alternativesOf, isDuration, resolve, type SchemaNode } from './schema-node.ts';
import { type Forms, headingOf } from './sections.ts';

/** An option: where it stands, and what may stand there. */
export interface Option {
  readonly path: string;
  readonly node: Forms;
  readonly roots: Forms;
}

export function valueText({ path, node, roots }: Option): string {
  const isTime = alternativesOf(node.file, roots.file).some(isDuration);
  return alternativesText(node.code, { path, root: roots.code, isTime });
}

interface Context {
  readonly path: string;
  readonly root: SchemaNode;
  readonly isTime: boolean;
}

function alternativesText(node: SchemaNode, context: Context): string {
  const heading = titleOf(node, context);
  if (heading !== undefined) return link(heading);
  const words = alternativesOf(node, context.root).map((alternative) =>
    wordsOf(alternative, context),
  );
  const policies = words.filter((word) => word.startsWith('[Policy'));
  const others = words.filter((word) => !policies.includes(word));
  return [
    ...new Set(policies.length > 1 ? [...others, 'an object with `name` and options'] : words),
  ].join(' or ');
}

function titleOf(node: SchemaNode, { root }: Context): string | undefined {
  return resolve(node, root).title;
}

function wordsOf(node: SchemaNode, context: Context): string {
  const heading = headingOf(context.path, node, context.root);
  if (heading !== undefined) return link(heading);
  if (node.const !== undefined) return code(node.const);
  if (node.enum !== undefined) return node.enum.map(code).join(', ');
  switch (node.type) {
    case 'boolean':
      return '`true`, `false`';
    case 'integer':
      return `integer${rangeOf(node)}`;
    case 'number':
      return context.isTime ? `milliseconds${rangeOf(node)}` : `number${rangeOf(node)}`;
    case 'string':
      return 'text';
    case 'array':
      return listText(node, context);
    case 'object':
      return mapText(node, context);
    default:
      return 'anything';
  }
}

function listText({ items = {}, minItems, maxItems }: SchemaNode, context: Context): string {
  const words = alternativesText(items, { ...context, path: `${context.path}[]` });
  const count = maxItems === undefined ? '' : `${minItems ?? 0} to ${maxItems} of `;
  return `list of ${count}${words.includes(' or ') ? `(${words})` : words}`;
}

function mapText({ additionalProperties }: SchemaNode, context: Context): string {
  return typeof additionalProperties === 'object'
    ? `${alternativesText(additionalProperties, context)} by name`
    : 'anything by name';
}

function rangeOf({ minimum, maximum }: SchemaNode): string {
  return minimum === undefined && maximum === undefined
    ? ''
    : `, ${number(minimum)} to ${number(maximum)}`;
}

function number(value: number | undefined): string {
  return value === undefined ? 'any' : value.toLocaleString('en-US', { maximumFractionDigits: 3 });
}

/** A value as it is written. */
export function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

/** A link to a heading of the page, whose anchor is made as GitHub makes it. */
export function link(heading: string): string {
  const anchor = heading
    .toLowerCase()
    .replace(/[^a-z0-9 _-]/g, '')
    .replaceAll(' ', '-');
  return `[${heading}](#${anchor})`;
}
