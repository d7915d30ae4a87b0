/**
 * `@evenkeel/core/schema`: how the packages of Evenkeel check what users write, so that all errors read alike: where,
 * what was expected, what was found.
 */
export { decode, joinPath } from './decode.ts';
export {
  DURATION_MARK,
  durationMs,
  flag,
  integer,
  number,
  object,
  oneOf,
  percent,
  type Range,
  text,
} from './fields.ts';
