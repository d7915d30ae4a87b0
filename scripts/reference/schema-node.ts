/** Reading of JSON Schemas as `clusterJsonSchema` makes them. */

/** A node of a JSON Schema: the keywords that occur. */
export interface SchemaNode {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly required?: readonly string[];
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
}

/** The node that a reference leads to. */
export function resolve(node: SchemaNode, root: SchemaNode): SchemaNode {
  if (node.$ref === undefined || node.$ref === DURATION) return node;
  const target = node.$ref === '#' ? root : root.$defs?.[node.$ref.replace('#/$defs/', '')];
  if (target === undefined) throw new Error(`nothing at ${node.$ref}`);
  return resolve(target, root);
}

/** The alternatives at a node, those within alternatives included; what has a title of its own stays whole. */
export function alternativesOf(node: SchemaNode, root: SchemaNode, below = false): SchemaNode[] {
  const target = resolve(node, root);
  const branches = target.anyOf ?? target.oneOf;
  if (branches === undefined || (below && target.title !== undefined)) return [target];
  return branches.flatMap((branch) => alternativesOf(branch, root, true));
}

const DURATION = '#/$defs/duration';

/** Is it a length of time in a file? */
export function isDuration(node: SchemaNode): boolean {
  return node.$ref === DURATION;
}
