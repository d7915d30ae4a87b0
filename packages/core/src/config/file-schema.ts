/**
 * Derives, from the schema of options in code, the schema of the same options in a file: `{ intervalMs: 5000 }` becomes
 * `{ interval: 5s }`. Deriving the schema, rather than converting the value, makes messages, unknown-key hints and the
 * JSON Schema speak the words of the file without a second list of fields to keep.
 *
 * What comes out of a file schema is a value in the code's form, to be decoded by the code's schema: rules across
 * fields, defaults and conversions live there alone. This one knows structure, names, durations and simple ranges.
 */
import { z } from 'zod';
import { object, type Range } from '../schema/fields.ts';
import { DURATION_PATTERN, formatDuration, parseDuration } from './duration.ts';
import {
  fileKeyOf,
  fileWording,
  isDuration,
  kindOf,
  type Schema,
  unwrap,
  wrappedBy,
} from './schema-kinds.ts';

/** The schema of the file form. */
export function fileSchemaOf(schema: z.core.$ZodType): z.ZodType {
  const file = new FileSchemas().of(schema);
  if (file === undefined) throw new TypeError('the schema accepts nothing that a file can express');
  return file;
}

/** One derivation; remembers what it has seen, so that recursive schemas end. */
class FileSchemas {
  readonly #known = new Map<z.core.$ZodType, z.ZodType | undefined>();

  /** Undefined for values that only code can express: functions, instances. */
  of(schema: z.core.$ZodType): z.ZodType | undefined {
    if (this.#known.has(schema)) return this.#known.get(schema);
    let result: z.ZodType | undefined;
    // A schema that contains itself meets this stand-in, which is resolved when the first value is decoded.
    this.#known.set(
      schema,
      z.lazy(() => result ?? z.never()),
    );
    result = this.#derive(kindOf(schema));
    if (result !== undefined) result = withNotes(result, schema);
    this.#known.set(schema, result);
    return result;
  }

  #derive(schema: Schema): z.ZodType | undefined {
    const { def } = schema._zod;
    switch (def.type) {
      case 'object':
        return this.#object(def);
      case 'union':
        return this.#union(def);
      case 'array': {
        const element = this.of(def.element);
        return element && z.array(element, errorOf(def)).check(...lengthChecks(def.checks));
      }
      case 'record': {
        const valueType = this.of(def.valueType);
        return valueType && z.record(def.keyType, valueType, errorOf(def));
      }
      case 'nullable': {
        const inner = this.of(def.innerType);
        return inner && z.nullable(inner);
      }
      case 'optional':
      case 'prefault':
      case 'catch':
      case 'default': {
        // Defaults are filled in by the code's schema.
        const inner = this.of(def.innerType);
        return inner && z.optional(inner);
      }
      case 'number':
        return isDuration(schema) ? fileDuration(schema) : asIs(schema);
      case 'custom':
      case 'function':
      case 'transform':
        return undefined;
      default: {
        const inner = wrappedBy(schema);
        return inner === undefined ? asIs(schema) : this.of(inner);
      }
    }
  }

  #object(def: z.core.$ZodObjectDef): z.ZodType | undefined {
    const shape: Record<string, z.ZodType> = {};
    const codeKeys = new Map<string, string>();
    for (const [codeKey, field] of Object.entries(def.shape)) {
      const fileField = this.of(field);
      if (fileField === undefined) {
        if (field._zod.optin !== 'optional') return undefined;
        continue;
      }
      const fileKey = fileKeyOf(codeKey, field);
      codeKeys.set(fileKey, codeKey);
      shape[fileKey] = fileField;
    }
    const file = isOpen(def) ? z.looseObject(shape, errorOf(def)) : object(shape);
    if ([...codeKeys].every(([fileKey, codeKey]) => fileKey === codeKey)) return file;
    return file.transform((value) =>
      Object.fromEntries(
        Object.entries(value).map(([key, field]) => [codeKeys.get(key) ?? key, field]),
      ),
    );
  }

  #union(def: z.core.$ZodUnionDef & { readonly discriminator?: string }): z.ZodType | undefined {
    const options = def.options
      .map((option) => this.of(option))
      .filter((option) => option !== undefined);
    const [first] = options;
    if (first === undefined) return undefined;
    if (options.length === 1) return first;
    return def.discriminator === undefined
      ? z.union(options, errorOf(def))
      : z.discriminatedUnion(def.discriminator, options as unknown as Discriminable, errorOf(def));
  }
}

/** Does an object take keys that it does not name, as that of a policy's options does? */
function isOpen({ catchall }: z.core.$ZodObjectDef): boolean {
  return catchall !== undefined && kindOf(catchall)._zod.def.type !== 'never';
}

type Discriminable = [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]];

/** `5s` between the bounds of the number that it stands for. */
function fileDuration(schema: Schema): z.ZodType {
  const { min, max } = boundsOf(schema);
  const range = rangeOf(schema);
  const error = `a duration such as 5s or 100ms, ${range}`;
  return z
    .string({ error })
    .regex(new RegExp(DURATION_PATTERN), { error })
    .transform((text, context) => {
      const durationMs = parseDuration(text);
      if (durationMs !== undefined && durationMs >= min && durationMs <= max) return durationMs;
      context.issues.push({ code: 'custom', message: error, input: text });
      return z.NEVER;
    })
    .meta({ description: `A duration ${range}.` });
}

/** Where a schema sets no bound: a thousand years. */
const MAX_DURATION_MS = 1000 * 365 * 24 * 3_600_000;

function boundsOf(schema: Schema): Range {
  const { minValue, maxValue } = schema as unknown as z.ZodNumber;
  return {
    min: Math.max(0, minValue ?? 0),
    max: Math.min(MAX_DURATION_MS, maxValue ?? MAX_DURATION_MS),
  };
}

function rangeOf(schema: Schema): string {
  const { min, max } = boundsOf(schema);
  return `from ${formatDuration(min)} to ${formatDuration(max)}`;
}

/** A description with the range of a duration, which JSON Schema can say of numbers only. */
function describeDuration(schema: z.core.$ZodType, description: string): string {
  const inner = unwrap(schema);
  if (!isDuration(schema) || inner._zod.def.type !== 'number') return description;
  return `${description} A duration ${rangeOf(inner)}.`;
}

/** Carries title and description over, and the default in the words of a file. */
function withNotes(file: z.ZodType, schema: z.core.$ZodType): z.ZodType {
  const { title, description, default: byDefault } = z.globalRegistry.get(schema) ?? {};
  const notes: Record<string, unknown> = {};
  if (title !== undefined) notes['title'] = title;
  if (description !== undefined) notes['description'] = describeDuration(schema, description);
  const { def } = kindOf(schema)._zod;
  const value = def.type === 'default' ? def.defaultValue : byDefault;
  if (value !== undefined) notes['default'] = isDuration(schema) ? durationDefault(value) : value;
  return Object.keys(notes).length === 0 ? file : file.meta(notes);
}

const durationDefault = (value: unknown): unknown =>
  typeof value === 'number' ? formatDuration(value) : value;

/** Of an array's checks those of its length: others expect elements in the code's form. */
function lengthChecks(
  checks: readonly z.core.$ZodCheck<never>[] | undefined,
): z.core.$ZodCheck<unknown[]>[] {
  return (checks ?? []).filter(({ _zod }) =>
    LENGTH_CHECKS.has(_zod.def.check),
  ) as unknown as z.core.$ZodCheck<unknown[]>[];
}

const LENGTH_CHECKS = new Set(['min_length', 'max_length', 'length_equals']);

/** A plain value is written in a file as in code. */
function asIs(schema: Schema): z.ZodType {
  return schema as unknown as z.ZodType;
}

/** The wording of a schema's own errors, in the names of the file. */
function errorOf(def: z.core.$ZodTypeDef): { error?: z.core.$ZodErrorMap } {
  const own = def.error;
  if (own === undefined) return {};
  return {
    error: (issue) => {
      const told = own(issue as never);
      const message = typeof told === 'string' ? told : told?.message;
      return message === undefined ? undefined : fileWording(message);
    },
  };
}
