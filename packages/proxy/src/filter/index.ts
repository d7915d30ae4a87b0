/**
 * `@evenkeel/proxy/filter`: what filters of one's own are written with.
 *
 * ```ts
 * import { defineFilter } from '@evenkeel/proxy/filter';
 *
 * export const createFilter = defineFilter<{ readonly header: string }>(({ header }) => ({
 *   name: 'tenant',
 *   onRequest: (request) => (request.header(header) === undefined ? { status: 400 } : undefined),
 * }));
 * ```
 */
export {
  type BodyFilter,
  BodyRefusal,
  type ClientCertificate,
  type Filter,
  type FilterAnswer,
  type FilterRequest,
  type FilterResponse,
  type FilterStatus,
  type HeaderEdits,
} from './filter.ts';
export type { FilterPorts } from './filter-kind.ts';
export { type CreateFilter, defineFilter } from './module/define-filter.ts';
export { hashPassword } from './basic-auth/password-hash.ts';
