import type { Filter } from '../filter.ts';
import type { FilterPorts } from '../filter-kind.ts';

/**
 * What a module of a filter exports as `createFilter`. Called once for every place in the configuration, and again when
 * the module has changed.
 *
 * @param options what the configuration says; checking them is the module's
 * @throws what is wrong with them: the configuration is refused then, or the filter before stays
 */
export type CreateFilter<Options = unknown> = (
  options: Options,
  ports: FilterPorts,
) => Filter | Promise<Filter>;

/**
 * Gives a module its types:
 *
 * ```ts
 * export const createFilter = defineFilter<{ readonly header: string }>(({ header }) => ({
 *   name: 'tenant',
 *   onRequest: (request) => (request.header(header) === undefined ? { status: 400 } : undefined),
 * }));
 * ```
 */
export function defineFilter<Options = unknown>(
  create: CreateFilter<Options>,
): CreateFilter<Options> {
  return create;
}
