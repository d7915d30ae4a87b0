/** A list of filters as it is written: `filters: [{ cors: { ... } }, { jwt: { ... }, onError: 'open' }]`. */
import { object, oneOf, text } from '@evenkeel/core/schema';
import { z } from 'zod';
import {
  FILTER_KIND_NAMES,
  FILTER_KINDS,
  type FilterKindName,
  type FilterOptionsByKind,
} from './registry.ts';

/** What every filter may have beside its own options. */
export interface FilterCommonOptions {
  /** For metrics, logs and `skipFilters`. Default the name of its kind. */
  readonly name?: string | undefined;
  /** What becomes of a request when the filter itself fails: 500, or on its way as if there were no filter. Default `closed`. */
  readonly onError?: 'closed' | 'open' | undefined;
}

/** One filter: exactly one kind with its options. */
export type FilterOptions = {
  readonly [Name in FilterKindName]: FilterCommonOptions & {
    readonly [Key in Name]: FilterOptionsByKind[Key];
  };
}[FilterKindName];

/** A checked filter. */
export interface FilterConfig {
  readonly kind: FilterKindName;
  readonly name: string;
  /** Undefined: as the filter itself says. */
  readonly onError: 'closed' | 'open' | undefined;
  /** What the schema of the kind has made of the options. */
  readonly options: unknown;
}

const ONE_KIND = `exactly one of ${FILTER_KIND_NAMES.join(', ')}`;
const MAX_FILTERS = 64;

const kinds: Record<string, z.ZodOptional<z.ZodType>> = Object.fromEntries(
  FILTER_KIND_NAMES.map((name) => {
    const { schema, about } = FILTER_KINDS[name];
    return [name, schema.optional().describe(about)];
  }),
);

const entry = object({
  name: text(64)
    .regex(/^[\x21-\x7e]+$/, { error: 'a name of printable ASCII without spaces' })
    .optional()
    .describe('For metrics, logs and `skipFilters`.'),
  onError: oneOf(['closed', 'open'])
    .optional()
    .describe(
      'What becomes of a request when the filter itself fails: 500, or on its way as if there were no filter.',
    ),
  ...kinds,
})
  .refine((raw) => kindsOf(raw).length === 1, { error: ONE_KIND })
  .transform((raw): FilterConfig => {
    const [kind] = kindsOf(raw) as [FilterKindName];
    const { name, onError } = raw as {
      readonly name?: string;
      readonly onError?: 'closed' | 'open';
    };
    return {
      kind,
      name: name ?? kind,
      onError,
      options: (raw as Readonly<Record<string, unknown>>)[kind],
    };
  })
  // Listeners and routes have the same: described once.
  .meta({ title: 'A filter' });

export const filterListSchema: z.ZodType<readonly FilterConfig[], readonly FilterOptions[]> = z
  .array(entry, { error: 'a list of filters' })
  .max(MAX_FILTERS, { error: `${MAX_FILTERS} filters at most` }) as unknown as z.ZodType<
  readonly FilterConfig[],
  readonly FilterOptions[]
>;

/** Clusters that filters name, each with its place in the list. */
export function clustersOfFilters(
  filters: readonly FilterConfig[],
): { readonly at: readonly PropertyKey[]; readonly cluster: string }[] {
  return filters.flatMap(({ kind, options }, at) =>
    (FILTER_KINDS[kind].clustersOf?.(options) ?? []).map((cluster) => ({
      at: [at, kind, 'cluster'],
      cluster,
    })),
  );
}

function kindsOf(raw: Readonly<Record<string, unknown>>): FilterKindName[] {
  return FILTER_KIND_NAMES.filter((name) => raw[name] !== undefined);
}
