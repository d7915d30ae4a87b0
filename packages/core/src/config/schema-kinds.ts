/** Reading of zod schemas: what kind a schema is, what it wraps, what is noted about it. */
import { z } from 'zod';
import { DURATION_MARK } from '../schema/fields.ts';

/** A schema whose `def.type` tells which kind it is. */
export type Schema = z.core.$ZodTypes;

/** Any schema as a member of the union of kinds. zod's own functions hand them out under the common base type. */
export function kindOf(schema: z.core.$ZodType): Schema {
  return schema as Schema;
}

/** What a wrapper (optional, default, readonly ...) is around; undefined for schemas that are no wrapper. */
export function wrappedBy(schema: Schema): Schema | undefined {
  const { def } = schema._zod;
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return kindOf(def.innerType);
    case 'lazy':
      return kindOf(def.getter());
    case 'pipe':
      // Of a pipe the side that a user writes: its entry, unless that is a function which prepares the value.
      return kindOf(kindOf(def.in)._zod.def.type === 'transform' ? def.out : def.in);
    default:
      return undefined;
  }
}

/** The schema inside all wrappers. */
export function unwrap(schema: z.core.$ZodType): Schema {
  let current = kindOf(schema);
  for (let inner = wrappedBy(current); inner !== undefined; inner = wrappedBy(current))
    current = inner;
  return current;
}

/** Is a length of time written here, or a list or a choice with one? Then its name ends in `Ms` in code. */
export function isDuration(schema: z.core.$ZodType): boolean {
  const kind = kindOf(schema);
  if (z.globalRegistry.get(kind)?.[DURATION_MARK] === true) return true;
  const { def } = kind._zod;
  if (def.type === 'array') return isDuration(def.element);
  if (def.type === 'union') return def.options.some(isDuration);
  const inner = wrappedBy(kind);
  return inner !== undefined && isDuration(inner);
}

/** The name that a field of code carries in files: durations lose their `Ms`, because the value says its unit. */
export function fileKeyOf(key: string, schema: z.core.$ZodType): string {
  return key.endsWith('Ms') && isDuration(schema) ? key.slice(0, -'Ms'.length) : key;
}

/** A message about options in code, with the names that they have in files. */
export function fileWording(message: string): string {
  return message.replace(/\b([a-z][A-Za-z]*)Ms\b/g, '$1');
}
