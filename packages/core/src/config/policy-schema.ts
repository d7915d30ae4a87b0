import { z } from 'zod';
import type { Policy } from '../policy/policy.ts';
import { object } from '../schema/fields.ts';
import { kindOf, unwrap } from './schema-kinds.ts';

/**
 * What may stand at `policy` when the policies are known: one of their names, or a name with that policy's options.
 *
 * This is structure only, for files and editors. Rules across options are in the policies' own schemas, which their
 * registry asks when the cluster is created.
 */
export function policySchemaOf(all: readonly Policy[]): z.ZodType {
  // The last of a name counts: that is how one replaces a built-in policy.
  const policies = [...new Map(all.map((policy) => [policy.name, policy])).values()];
  const names = policies.map(({ name }) => name);
  const error = `one of ${names.join(', ')}`;
  const schema: z.ZodType = z.union(
    [
      z.enum(names, { error }),
      z.discriminatedUnion(
        'name',
        policies.map((policy) =>
          policyObject(
            policy,
            z.lazy(() => schema),
          ),
        ) as unknown as Branches,
        { error },
      ),
    ],
    { error: `${error}, or an object with one of these names and options` },
  );
  return schema;
}

type Branches = [z.ZodObject, ...z.ZodObject[]];

/** @param child schema of a policy within a policy, which policies that wrap others have at the option `policy` */
function policyObject(policy: Policy, child: z.ZodType): z.ZodObject {
  const name = z.literal(policy.name, { error: policy.name });
  if (policy.schema === undefined) return object({ name });
  const { def } = unwrap(policy.schema)._zod;
  // Options of some other shape: a policy of the user's own, whose schema will say what it takes.
  if (def.type !== 'object') return z.looseObject({ name });
  const shape = { ...def.shape } as Record<string, z.ZodType>;
  if (shape['policy'] !== undefined) shape['policy'] = inPlaceOf(shape['policy'], child);
  return object({ name, ...shape });
}

/** A schema with what another one says besides its values: the default, the description, that it may be left out. */
function inPlaceOf(own: z.ZodType, child: z.ZodType): z.ZodType {
  const { def } = kindOf(own)._zod;
  let schema = child;
  if (def.type === 'default') schema = child.default(def.defaultValue);
  else if (own._zod.optin === 'optional') schema = child.optional();
  return own.description === undefined ? schema : schema.describe(own.description);
}
