/** Options as they stand in a file: the words of the code, with `interval: 5s` for `intervalMs: 5000`. */
import { z } from 'zod';
import { ConfigError } from '../error/config-error.ts';
import { configIssues, decode } from '../schema/decode.ts';
import { fileSchemaOf } from './file-schema.ts';
import { fileKeyOf, fileWording, kindOf, type Schema, unwrap } from './schema-kinds.ts';

/**
 * Brings a value from a file into the form that code uses, checked against the schema of the code's form. Messages
 * name places and values as the file has them.
 *
 * @param schema of the code's form
 * @param path where the value stands in the file; '' at the root
 * @throws ConfigError with every issue found
 */
export function codeFormOf(schema: z.ZodType, raw: unknown, path: string): unknown {
  const code = decode(cachedFileSchema(schema), raw, path);
  const checked = schema.safeParse(code);
  if (checked.success) return code;
  // Only rules across fields are left to complain, for the file's schema has seen to each value.
  const error = new z.ZodError(checked.error.issues.map((issue) => inFileWords(schema, issue, [])));
  throw new ConfigError(configIssues(error, raw, path));
}

const fileSchemas = new WeakMap<z.ZodType, z.ZodType>();

function cachedFileSchema(schema: z.ZodType): z.ZodType {
  const known = fileSchemas.get(schema);
  if (known !== undefined) return known;
  const file = fileSchemaOf(schema);
  fileSchemas.set(schema, file);
  return file;
}

/** An issue about the code's form, told in the names of the file. */
function inFileWords(
  schema: z.ZodType,
  issue: z.core.$ZodIssue,
  base: readonly PropertyKey[],
): z.core.$ZodIssue {
  const path = [...base, ...issue.path];
  const told = {
    ...issue,
    path: filePathOf(schema, path).slice(base.length),
    message: fileWording(issue.message),
  };
  if (issue.code !== 'invalid_union') return told;
  const errors = issue.errors.map((branch) =>
    branch.map((inner) => inFileWords(schema, inner, path)),
  );
  return { ...told, errors } as z.core.$ZodIssue;
}

/** The path in a file of what stands at `path` in code. */
export function filePathOf(schema: z.core.$ZodType, path: readonly PropertyKey[]): PropertyKey[] {
  let places: readonly Schema[] = [kindOf(schema)];
  return path.map((key) => {
    const steps = places.flatMap(alternativesOf).flatMap((place) => stepInto(place, key));
    places = steps.map(({ schema: next }) => kindOf(next));
    return steps.find((step) => step.fileKey !== key)?.fileKey ?? key;
  });
}

interface Step {
  readonly fileKey: PropertyKey;
  readonly schema: z.core.$ZodType;
}

function stepInto(place: Schema, key: PropertyKey): Step[] {
  const { def } = place._zod;
  switch (def.type) {
    case 'object': {
      const field =
        typeof key === 'string' && Object.hasOwn(def.shape, key) ? def.shape[key] : undefined;
      return field === undefined ? [] : [{ fileKey: fileKeyOf(String(key), field), schema: field }];
    }
    case 'array':
      return [{ fileKey: key, schema: def.element }];
    case 'record':
      return [{ fileKey: key, schema: def.valueType }];
    default:
      return [];
  }
}

/** The schema inside its wrappers, or all the branches of a union. */
function alternativesOf(schema: Schema): Schema[] {
  const inner = unwrap(schema);
  const { def } = inner._zod;
  return def.type === 'union'
    ? def.options.flatMap((option) => alternativesOf(kindOf(option)))
    : [inner];
}
